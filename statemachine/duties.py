"""What is to be done every so often, or when the system starts, and hangs on no record.

An app's module `duties` says "every so often, on that queue, call this"; the engine finds it by itself. The reconcilers
ring for what is due, the first of them for all; a worker of the queue attends to it. A message that gets lost, a worker that
dies and a duty that fails are made good by the next time, so a duty finds out in the database what there is to do, and does
not count on having been called before.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from statemachine import heartbeat
from statemachine.doorbell import ring_for_duty

# However many reconcilers start within this time, that is one start of the system.
ONE_START_S = 300
SOFT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something to be done again and again.

    Attributes:
        name: letters, digits and “_”.
        every_s: how often; 0: never. Asked each time, since settings say it.
        at_start: it is due when a reconciler starts, and not before the next start, as often as `every_s` says at most.
    """

    name: str
    queue: str
    every_s: Callable[[], float]
    at_start: bool
    attend: Callable[[], None]


_registry: dict[str, Duty] = {}


def duty(
    *, name: str, queue: str, every_s: Callable[[], float], at_start: bool = False
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Let a function be called every so often by a worker of the queue; see `Duty`.

    Raises:
        AssertionError: another duty has the name, or there is no such queue.
    """

    def register(attend: Callable[[], None]) -> Callable[[], None]:
        if name in _registry or queue not in settings.RQ_QUEUES:
            raise AssertionError(f"the duty “{name}” is there already, or RQ_QUEUES lacks its queue “{queue}”")
        _registry[name] = Duty(name=name, queue=queue, every_s=every_s, at_start=at_start, attend=attend)
        return attend

    return register


def named(name: str) -> Duty | None:
    """The duty with that name, if there still is one."""
    return _registry.get(name)


def ring(*, is_start: bool = False) -> bool:
    """Ring for what is due; whether Redis took all of it. Any number may do so at the same time.

    Args:
        is_start: whether the program has just started.
    """
    periods = {each: each.every_s() for each in _registry.values() if is_start or not each.at_start}
    asked = {each: period_s for each, period_s in periods.items() if period_s > 0}
    ages = heartbeat.ages_s(_beat(each) for each in asked)
    return all(
        _ring(each, period_s=period_s)
        for each, period_s in asked.items()
        if not 0 <= ages.get(_beat(each), -1) < period_s
    )


def ring_now(name: str) -> bool:
    """Ring for a duty before its time, since something has happened; whether Redis took it. Not for one that is never due.

    Raises:
        KeyError: there is no duty of that name.
    """
    due = _registry[name]
    return due.every_s() > 0 and ring_for_duty(due.name, queue=due.queue, soft_s=SOFT_S)


def _ring(due: Duty, *, period_s: float) -> bool:
    """Ring for it, unless somebody else was faster."""
    if not heartbeat.take_turn(_beat(due), every_s=period_s):
        return True
    if ring_for_duty(due.name, queue=due.queue, soft_s=SOFT_S):
        return True
    heartbeat.give_back_turn(_beat(due))
    return False


def _beat(due: Duty) -> str:
    return f"duty {due.name}"
