"""When a program that has to run somewhere was last seen at work, and a duty last owed, by the database's clock.

Also whether the database takes what is written: where it does not, no program could be seen.
"""

import socket
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import Error, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from core.base.database import for_everybody
from core.ops.probes import Probe, ask_database
from statemachine.models import Heartbeat

RECONCILER = "reconciler"
NO_RECONCILER = "No reconciler has ever run. Start one: python manage.py reconcile"
LATE_RECONCILER = (
    "No reconciler has made a pass for {age_s:.0f} s: lost messages and imported records wait. "
    "See that it runs: python manage.py reconcile"
)
# It looks every few seconds and a pass takes less than one; this long means that none runs, or that it hangs.
LATE_S = 30
# More than a page of the table, so that a disk without room is found out.
ROWS = 50

NO_DATABASE = (
    "PostgreSQL does not answer: nothing can be shown or saved. See that it runs and that DATABASE_URL is right."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the database has answered.

    Attributes:
        reconciler_age_s: as `age_s`.
        refusal: why it does not take what is written; None if it does.
    """

    reconciler_age_s: float | None
    refusal: Error | None = None


def beat(name: str) -> None:
    """Note that the program is at work now, on this host."""
    now = {"at": Now(), "host": socket.gethostname()}
    if not Heartbeat.objects.filter(name=name).update(**now):
        Heartbeat.objects.update_or_create(name=name, defaults=now)


def age_s(name: str) -> float | None:
    """Seconds since its last beat; None if there has never been one."""
    since = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    ago: timedelta | None = Heartbeat.objects.filter(name=name).values_list(since, flat=True).first()
    return None if ago is None else max(0.0, ago.total_seconds())


def ages_s(names: Iterable[str]) -> dict[str, float]:
    """Seconds since the last beat of each that there has ever been one of; negative if the clock was set back since."""
    since = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    found = Heartbeat.objects.filter(name__in=list(names)).values_list("name", since)
    return {name: ago.total_seconds() for name, ago in found}


def take_turn(name: str, *, every_s: float) -> bool:
    """Beat, unless somebody has within so long; whether it was us. Of any number at once it is one.

    A beat that lies ahead, since the clock was set back meanwhile, stands in nobody's way.
    """
    now = {"at": Now(), "host": socket.gethostname()}
    its_time = Q(at__lte=Now() - timedelta(seconds=every_s)) | Q(at__gt=Now())
    if Heartbeat.objects.filter(its_time, name=name).update(**now):
        return True
    return Heartbeat.objects.get_or_create(name=name, defaults=now)[1]


def give_back_turn(name: str) -> None:
    """Nothing came of it; whoever looks next takes it."""
    Heartbeat.objects.filter(name=name).delete()


def look() -> Seen:
    """Ask the database, and write to it as a beat does; nothing of that stays.

    Raises:
        Error: it cannot even be asked.
    """
    age = age_s(RECONCILER)
    try:
        _rehearse()
    except Error as refusal:
        return Seen(reconciler_age_s=age, refusal=refusal)
    return Seen(reconciler_age_s=age)


def database_words(looked: Future[Seen]) -> str:
    """What is wrong with the database, for everybody's eyes; empty if nothing is."""
    try:
        refusal = looked.result(timeout=0).refusal
    except Error as error:
        refusal = error
    except TimeoutError:
        return NO_DATABASE
    return for_everybody(refusal) if refusal else ""


def _rehearse() -> None:
    name = f"rehearsal {uuid4().hex}"
    with transaction.atomic():
        Heartbeat.objects.bulk_create(Heartbeat(name=f"{name} {row}", host="-" * 255) for row in range(ROWS))
        transaction.set_rollback(True)


database_works = Probe(lambda: ask_database(look), lasts_s=2)
