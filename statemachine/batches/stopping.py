"""Stop a batch: what waits never begins, and what is under way is cancelled."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now

from core.base.statement_limits import answered_in_time
from statemachine.batches.membership import items_of, machine_of
from statemachine.batches.progress import of_record, owed_by_batches
from statemachine.batches.starting import beginning_of_reason
from statemachine.errors import BatchGone, RecordGone
from statemachine.models import Batch, StateMachine
from statemachine.rights import require
from statemachine.transitions import Actor, Step, advance, authorise, locked

logger = logging.getLogger(__name__)

# Workers wait for them meanwhile.
CANCELLED_AT_ONCE = 50
STOP_WITHIN_S = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What became of stopping a batch, in records.

    Attributes:
        left: still under way; thousands that all wait for a better time are too many for one click.
    """

    count: int
    left: int


def stop(*, batch_id: int, user: User, within_s: float = STOP_WITHIN_S) -> Stopped:
    """Owe nothing any more that the batch has started: what is under way is cancelled, what waits never begins.

    What another batch, or somebody by hand, has started since is left alone.

    Args:
        within_s: what is under way is cancelled one by one, and no further after this time.

    Raises:
        BatchGone: it does not exist.
        TransitionForbidden: the person may not stop its records. Nothing was changed.
        DatabaseTooBusy: nothing was changed.
    """
    until = time.monotonic() + within_s
    machine = _machine_of(batch_id)
    require(user, machine.run_right, machine.right_to("cancel"))
    ours = owed_by_batches(machine).filter(owed_by=batch_id)
    working = sorted(machine.working_states)
    with answered_in_time():
        if not Batch.objects.filter(pk=batch_id).update(stopped_at=Now(), stopped_by=user):
            raise BatchGone
        # Locked, since nothing tells them from the others any more once they are owed nothing.
        not_begun = ours.exclude(state__in=working).order_by("pk").select_for_update()
        passed_over = list(not_begun.values_list("pk", flat=True))
        _call_off(machine, batch_id, passed_over)
        # Whoever is about to start one of them finds another generation, and lets it be.
        waiting = machine._default_manager.filter(pk__in=passed_over).update(
            due_at=None,
            due_reason="",
            generation=F("generation") + 1,
            initiated_by=_whose_it_was(batch_id),
            initiated_before=None,
            **machine.idle_values,
        )
    under_way = list(ours.filter(state__in=working).order_by("pk").values_list("pk", flat=True))
    cancelled = looked_at = 0
    for some in batched(under_way, CANCELLED_AT_ONCE, strict=False):
        if time.monotonic() >= until:
            break
        cancelled += _cancel_all(machine, batch_id, some, user)
        looked_at += len(some)
    logger.info("batch %s: stopped, %s waiting and %s under way", batch_id, waiting, cancelled)
    return Stopped(count=waiting + cancelled, left=len(under_way) - looked_at)


def _machine_of(batch_id: int) -> type[StateMachine]:
    found = Batch.objects.filter(pk=batch_id).first()
    if found is None:
        raise BatchGone
    return machine_of(found)


def _call_off(machine: type[StateMachine], batch_id: int, pks: list[int]) -> None:
    """Note with locked records that their turn never came: the note holds for their next generation.

    It is noted for another batch too that had called them off before, if nobody has run them since.
    """
    theirs = Q(batch=batch_id) | Q(called_off=F("record__generation"))
    members = items_of(machine)._default_manager.filter(theirs, record__in=pks)
    members.update(called_off=of_record(machine, F("generation") + 1))


def _whose_it_was(batch_id: int) -> Case:
    """Whose a record is once the batch no longer owes it a start: whoever's last run it was, nobody if they are gone.

    A record that has never run stays with whoever would have run it. One that goes on by itself stays with its person.
    """
    owed_by_it = Q(due_reason__startswith=beginning_of_reason(batch_id))
    return Case(
        When(owed_by_it, generation__gt=0, then="initiated_before"),
        When(owed_by_it, then=Coalesce("initiated_before", "initiated_by")),
        default="initiated_by",
    )


def _cancel_all(machine: type[StateMachine], batch_id: int, pks: Iterable[int], user: User) -> int:
    """Stop some runs in one transaction: a commit for each of thousands would take longer than a person waits.

    Nothing is stopped if somebody has run the batch again meanwhile. Whoever comes second waits for the first.
    """
    with transaction.atomic():
        still = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id, stopped_at__isnull=False)
        return sum(_cancel(machine, batch_id, pk, user) for pk in pks) if still.exists() else 0


def _cancel(machine: type[StateMachine], batch_id: int, pk: int, user: User) -> bool:
    """Stop a run, unless it has settled, or somebody has started it by hand or with another batch, meanwhile."""
    actor = Actor.person(user)
    try:
        with locked(machine, pk) as record:
            if not (record.is_working and record.background and record.owed_by_id == batch_id):
                return False
            authorise(record, "cancel", actor)
            advance(record, Step(transition="cancel", reason="batch stopped"), actor)
    except RecordGone:
        return False
    return True
