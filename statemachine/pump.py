"""Keep the queue short and never empty: whatever is owed waits in the database, where the urgent can overtake.

The reconciler does this every few seconds, and each worker when it has done a job.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.db.models.functions import Now

from statemachine.claims import message_of
from statemachine.dispatch import dispatch, owed, room
from statemachine.doorbell import Message
from statemachine.errors import Stale
from statemachine.models import StateMachine
from statemachine.transitions import RECONCILER, Step, advance, fenced

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """How many rows were started and rung for."""

    started: int
    dispatched: int


def top_up(model: type[StateMachine]) -> ToppedUp:
    """Start and ring for the most urgent rows, as many as the queue has room for.

    Raises:
        RedisError: Redis does not answer; everything owed stays owed.
    """
    chosen = _most_urgent(model, limit=room(model))
    start = Step(transition=model.start_transition)
    dispatched = dispatch(model, pks=[row.pk for row in chosen if row.is_working])
    # A started row rings for itself when that is committed.
    started = [advance_unless_faster(model, message_of(row), start) for row in chosen if not row.is_working]
    return ToppedUp(started=sum(started), dispatched=dispatched)


def advance_unless_faster(model: type[StateMachine], message: Message, step: Step) -> bool:
    """Take a transition as the reconciler, unless somebody else was faster."""
    try:
        with fenced(model, message) as record:
            advance(record, step, RECONCILER)
    except Stale:
        return False
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # One row's bug must not stand in the way of all others; it is tried again after them.
        logger.exception("reconciler: %s could not take %s", message.job_id, step.transition)
        later = Now() + timedelta(seconds=settings.DOORBELL_PATIENCE_S)
        model._default_manager.filter(pk=message.pk, generation=message.generation).update(due_at=later)
        return False
    return True


def _most_urgent(model: type[StateMachine], *, limit: int) -> list[StateMachine]:
    """What was started by hand goes first, but not for ever: who has waited for long enough is no longer overtaken."""
    found = [*_first(model, limit, background=False), *_first(model, limit, background=True)]
    return sorted(found, key=_urgency)[:limit]


def _urgency(record: StateMachine) -> tuple[datetime, int]:
    assert record.due_at is not None
    handicap = timedelta(seconds=settings.BACKGROUND_YIELD_S if record.background else 0)
    return record.due_at + handicap, record.pk


def _first(model: type[StateMachine], limit: int, *, background: bool) -> QuerySet[StateMachine]:
    """The first of a lane: rows that are owed work, and those that are owed their start."""
    startable = model._default_manager.filter(due_at__lte=Now()).exclude(state__in=model.working_states)
    waiting = (owed(model) | startable).filter(background=background).order_by("due_at", "pk")
    return waiting.only("state", "generation", "due_at", "background")[:limit]
