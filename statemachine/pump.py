"""Keep the queue short and never empty: whatever is owed waits in the database, where the urgent can overtake.

The reconciler does this every few seconds, and each worker when it has done a job.
"""

import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from core.base.database import in_words, is_conflict, is_outage
from statemachine.claims import message_of
from statemachine.dispatch import RINGING_S, dispatch, owed, room
from statemachine.doorbell import Message
from statemachine.errors import Stale
from statemachine.models import StateMachine
from statemachine.reactions import machines, queue_of
from statemachine.transitions import RECONCILER, Step, advance, database_now, fenced

logger = logging.getLogger(__name__)

LOCK_PATIENCE_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """How many rows were started and rung for."""

    started: int
    dispatched: int


def top_up(queue: str) -> ToppedUp:
    """Start and ring for the most urgent rows of all machines that share the queue, once it is half empty.

    Raises:
        RedisError: Redis does not answer; everything owed stays owed.
    """
    free = room(queue)
    if free < settings.QUEUE_TARGET / 2:
        return ToppedUp(started=0, dispatched=0)
    chosen = _most_urgent([model for model in machines() if queue_of(model) == queue], limit=free)
    working: dict[type[StateMachine], list[int]] = defaultdict(list)
    started = 0
    enough_at = time.monotonic() + RINGING_S
    for row in chosen:
        if row.is_working:
            working[type(row)].append(row.pk)
        elif time.monotonic() < enough_at:
            # It rings for itself when that is committed.
            step = Step(transition=row.start_transition)
            started += advance_unless_faster(type(row), message_of(row), step)
    return ToppedUp(started=started, dispatched=sum(dispatch(model, pks=pks) for model, pks in working.items()))


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


def _most_urgent(models: Iterable[type[StateMachine]], *, limit: int) -> list[StateMachine]:
    """What was started by hand goes first, but not for ever: who has waited for long enough is no longer overtaken."""
    lanes = itertools.product(filter(_owes_anything, models), (False, True))
    found = [row for model, background in lanes for row in _first(model, limit, background=background)]
    return sorted(found, key=_urgency)[:limit]


def _owes_anything(model: type[StateMachine]) -> bool:
    """Mostly not, which is cheap to find out after every job."""
    return model._default_manager.filter(due_at__lte=Now()).exists()


def _urgency(record: StateMachine) -> tuple[datetime, int]:
    assert record.due_at is not None
    handicap = timedelta(seconds=settings.BACKGROUND_YIELD_S if record.background else 0)
    return record.due_at + handicap, record.pk


def _first(model: type[StateMachine], limit: int, *, background: bool) -> QuerySet[StateMachine]:
    """The first of a lane: rows that are owed work, and those that are owed their start."""
    startable = model._default_manager.filter(due_at__lte=Now()).exclude(state__in=model.working_states)
    waiting = (owed(model) | startable).filter(background=background).order_by("due_at", "pk")
    return waiting.only("state", "generation", "due_at", "background")[:limit]
