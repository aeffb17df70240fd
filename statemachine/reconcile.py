"""What makes lost messages harmless: look at the rows, and bring every one that is owed work on its way again."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now
from redis.exceptions import RedisError

from statemachine import doorbell
from statemachine.dispatch import dispatch, spent
from statemachine.doorbell import Message
from statemachine.errors import Crashed, Stale, TransitionRefused
from statemachine.models import StateMachine
from statemachine.reactions import machines, reactions_of
from statemachine.transitions import RECONCILER, Step, advance, fenced

logger = logging.getLogger(__name__)

# A message younger than this may still be on its way to Redis.
ON_ITS_WAY_S = 2
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one pass did, in rows."""

    started: int = 0
    dispatched: int = 0
    crashed: int = 0
    lost: int = 0

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(
            started=self.started + other.started,
            dispatched=self.dispatched + other.dispatched,
            crashed=self.crashed + other.crashed,
            lost=self.lost + other.lost,
        )

    def __bool__(self) -> bool:
        return self != Reconciled()


def reconcile() -> Reconciled:
    """One pass over every machine. Any number may run at the same time."""
    done = Reconciled()
    for model in machines():
        done += Reconciled(crashed=_fail_crashed(model))
        done += _bring_on_its_way(model)
    return done


def _bring_on_its_way(model: type[StateMachine]) -> Reconciled:
    try:
        lost = _owe_lost(model)
        room = _room(model)
    except RedisError as error:
        logger.warning("reconciler: Redis does not answer (%s); everything owed stays owed", error)
        return Reconciled()
    dispatched = dispatch(model, limit=room)
    started = _start(model, limit=room - dispatched)
    return Reconciled(started=started, dispatched=dispatched, lost=lost)


def _room(model: type[StateMachine]) -> int:
    """How many messages may be sent while the queue stays short enough to be overtaken."""
    waiting = sum(doorbell.waiting_count(queue) for queue in {each.queue for each in reactions_of(model)})
    return max(settings.QUEUE_TARGET - waiting, 0)


def _start(model: type[StateMachine], *, limit: int) -> int:
    """Start initial rows that are due, also those that no code of ours made. Starting one rings for it."""
    owed = model._default_manager.filter(state=model.initial_state(), due_at__lte=Now()).order_by("due_at", "pk")
    rows = owed.values_list("pk", "state", "generation")[:limit]
    return sum(_advance(model, _message(model, row), Step(transition=model.start_transition)) for row in rows)


def _owe_lost(model: type[StateMachine]) -> int:
    """Find messages that Redis has forgotten (FLUSHALL, a restart without persistence) and make their rows due."""
    rung_before = Now() - timedelta(seconds=ON_ITS_WAY_S)
    count = 0
    for found in reactions_of(model):
        rung = model._default_manager.filter(state=found.state, rung_at__lte=rung_before).order_by("rung_at")
        rows = rung.values_list("pk", "state", "generation")[:AT_ONCE]
        lost = doorbell.unknown([_message(model, row) for row in rows], queue=found.queue)
        for message in lost:
            count += model._default_manager.filter(
                pk=message.pk, generation=message.generation, rung_at__isnull=False
            ).update(due_at=Now(), rung_at=None)
    return count


def _fail_crashed(model: type[StateMachine]) -> int:
    count = 0
    for found in reactions_of(model):
        for row in spent(model, found).values_list("pk", "state", "generation")[:AT_ONCE]:
            arguments = {"code": Crashed.code, "message": Crashed.sentence()}
            step = Step(transition="fail", arguments=arguments, reason=Crashed.sentence())
            count += _advance(model, _message(model, row), step)
    return count


def _advance(model: type[StateMachine], message: Message, step: Step) -> bool:
    """Take a transition unless somebody else was faster."""
    try:
        with fenced(model, message) as record:
            advance(record, step, RECONCILER)
    except (Stale, TransitionRefused):
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


def _message(model: type[StateMachine], row: tuple[int, str, int]) -> Message:
    pk, state, generation = row
    return Message(label=model._meta.label_lower, pk=pk, state=state, generation=generation)
