"""What makes lost messages harmless: look at the rows, and bring every one that is owed work on its way again."""

import itertools
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from redis.exceptions import RedisError

from core.base.redis_client import in_words
from core.ops import tally
from statemachine import claims, doorbell
from statemachine.doorbell import Message
from statemachine.errors import Crashed
from statemachine.line import spent
from statemachine.models import StateMachine
from statemachine.pump import advance_unless_faster, top_up
from statemachine.reactions import machines, queues, reactions_of
from statemachine.transitions import Step

logger = logging.getLogger(__name__)

# A message younger than this may still be on its way to Redis.
ON_ITS_WAY_S = 2
AT_ONCE = 500
# All that giving one up reads of it; the row itself is read once it is locked.
TOLD = ("state", "generation", "failure_code", "failure_message")
# Each row that is given up takes some milliseconds, or a second where it waits for a lock.
GIVES_UP_FOR_S = 2.0


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
    done = Reconciled(crashed=_fail_crashed())
    try:
        done += Reconciled(lost=sum(map(_owe_lost, machines())))
        for queue in queues():
            topped_up = top_up(queue)
            done += Reconciled(started=topped_up.started, dispatched=topped_up.dispatched)
    except RedisError as error:
        logger.warning("reconciler: everything owed stays owed. %s", in_words(error))
    return done


def forgive(*, ago_s: float) -> None:
    """Count no try of what was lost to an outage of the database, before anything is given up for it.

    Args:
        ago_s: how long ago it began; it has ended just now.
    """
    for model in machines():
        if count := claims.forgive(model, ago_s=ago_s):
            logger.warning(
                "reconciler: %s tries at %s were lost to the outage, and do not count", count, model.__name__
            )


def _owe_lost(model: type[StateMachine]) -> int:
    """Find messages that nobody will answer (FLUSHALL, a restart without persistence, a killed worker); make their rows due."""
    rung_before = Now() - timedelta(seconds=ON_ITS_WAY_S)
    count = 0
    for found in reactions_of(model):
        rung = model._default_manager.filter(state=found.state, rung_at__lte=rung_before).order_by("rung_at")
        count += _owe(model, doorbell.unanswered([claims.message_of(row) for row in rung[:AT_ONCE]]))
    tally.count("messages_lost", count, machine=model._meta.label_lower)
    return count


def _owe(model: type[StateMachine], messages: Iterable[Message]) -> int:
    """Make the rows due, except those that have moved on and those that somebody holds at this moment."""
    generations = {message.pk: message.generation for message in messages}
    with transaction.atomic():
        rows = model._default_manager.filter(pk__in=generations, rung_at__isnull=False)
        found = rows.select_for_update(skip_locked=True).values_list("pk", "generation")
        lost = [pk for pk, generation in found if generation == generations[pk]]
        return model._default_manager.filter(pk__in=lost).update(due_at=Now(), rung_at=None)


def _fail_crashed() -> int:
    """Give up what is spent, for as long as the others can wait; the next pass goes on. How many."""
    until = time.monotonic() + GIVES_UP_FOR_S
    reactions = [(model, found) for model in machines() for found in reactions_of(model)]
    states = [spent(model, found).only(*TOLD)[:AT_ONCE] for model, found in reactions]
    count = 0
    # In turn, so that thousands in one state do not keep the few in another.
    for row in filter(None, itertools.chain.from_iterable(itertools.zip_longest(*states))):
        count += _fail(row)
        if time.monotonic() >= until:
            break
    return count


def _fail(row: StateMachine) -> bool:
    sentence = Crashed.at_last if row.failure_code else Crashed.sentence()
    arguments = {"code": Crashed.code, "message": sentence}
    evidence = {"before": row.failure_message} if row.failure_code else {}
    step = Step(transition="fail", arguments=arguments, reason=sentence, evidence=evidence)
    message = claims.message_of(row)
    if not advance_unless_faster(type(row), message, step):
        return False
    tally.count("tries_given_up", machine=message.label, state=message.state, code=Crashed.code)
    return True
