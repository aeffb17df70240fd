"""When a program of which one must run somewhere was last seen at work, by the database's clock."""

import socket
from typing import TYPE_CHECKING

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from statemachine.models import Heartbeat

if TYPE_CHECKING:
    from datetime import timedelta

RECONCILER = "reconciler"
# It looks every few seconds and a pass takes less than one; this long means that none runs, or that it hangs.
LATE_S = 30


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
