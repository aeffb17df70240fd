"""Keep the queue short and never empty: whatever is owed waits in the database, where the urgent can overtake.

The reconciler does this every few seconds, and each worker when it has done a job.
"""

import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from core.base.database import in_words, is_conflict, is_outage
from statemachine.claims import message_of
from statemachine.dispatch import RINGING_S, dispatch, room
from statemachine.doorbell import Message
from statemachine.errors import Stale
from statemachine.line import next_in_line
from statemachine.models import StateMachine
from statemachine.transitions import RECONCILER, Step, advance, database_now, fenced

logger = logging.getLogger(__name__)

LOCK_PATIENCE_MS = 1_000
# Each row that is started takes some milliseconds, or a second where it waits for a lock.
STARTING_S = 5.0
# So many are started before the first of them is rung for: few, since workers wait; several, since each time costs.
RUNG_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """How many rows were rung for, and how many of them were started before."""

    started: int = 0
    dispatched: int = 0

    def __add__(self, other: "ToppedUp") -> "ToppedUp":
        return ToppedUp(started=self.started + other.started, dispatched=self.dispatched + other.dispatched)


def top_up(queue: str) -> ToppedUp:
    """Once the queue is half empty, start the rows whose turn it is, of all machines that share it, and ring for them.

    Raises:
        RedisError: Redis does not answer; everything owed stays owed.
    """
    free = room(queue)
    if free < settings.QUEUE_TARGET / 2:
        return ToppedUp()
    chosen = next_in_line(queue, limit=free)
    done = ToppedUp()
    enough_at = time.monotonic() + STARTING_S
    for model, rows in itertools.groupby(chosen, key=type):
        for some in itertools.batched(rows, RUNG_AT_ONCE, strict=False):
            done += _bring(model, some, enough_at=enough_at)
    return done


def _bring(model: type[StateMachine], rows: Sequence[StateMachine], *, enough_at: float) -> ToppedUp:
    """Start those that are owed their start, and ring for all in their order.

    Args:
        enough_at: none is started later, by the monotonic clock; what has been begun can be rung for a while longer.
    """
    idle = [row for row in rows if not row.is_working]
    started = {row.pk for row in idle if time.monotonic() < enough_at and _start(row)}
    begun = [row.pk for row in rows if row.is_working or row.pk in started]
    rung = dispatch(model, pks=begun, enough_at=enough_at + RINGING_S) if begun else 0
    return ToppedUp(started=len(started), dispatched=rung)


def _start(row: StateMachine) -> bool:
    step = Step(transition=row.start_transition, rings=False)
    return advance_unless_faster(type(row), message_of(row), step)


def advance_unless_faster(model: type[StateMachine], message: Message, step: Step) -> bool:
    """Take a transition as the reconciler, unless somebody else was faster or holds the row."""
    try:
        with fenced(model, message, wait=False) as record:
            if not _is_still_due(record):
                return False
            _lose_patience_soon()
            advance(record, step, RECONCILER)
    except Stale:
        return False
    except Exception as error:
        if isinstance(error, Error) and is_conflict(error):
            logger.info("reconciler: %s must wait: %s", message.job_id, in_words(error))
            return False
        if isinstance(error, Error) and is_outage(error):
            raise
        # One row's bug must not stand in the way of all others; it is tried again after them.
        logger.exception("reconciler: %s could not take %s", message.job_id, step.transition)
        later = Now() + timedelta(seconds=settings.DOORBELL_PATIENCE_S)
        model._default_manager.filter(pk=message.pk, generation=message.generation).update(due_at=later)
        return False
    return True


def _is_still_due(record: StateMachine) -> bool:
    """Whether nobody has taken hold of it, or put it off, since it was listed; neither moves it on."""
    at = database_now(record)
    is_held = record.claimed_until is not None and record.claimed_until > at
    return record.due_at is not None and record.due_at <= at and not is_held


def _lose_patience_soon() -> None:
    """What one row waits for must not keep all the others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_PATIENCE_MS)])
