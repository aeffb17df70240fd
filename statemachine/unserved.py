"""Queues whose work nobody does: a pool was forgotten, or has ended."""

from collections.abc import Collection

from statemachine.line import owed, sharing, startable
from statemachine.listeners import Listener
from statemachine.models import StateMachine
from statemachine.reactions import queues, reactions_of, start_of


def unserved(listening: Collection[Listener]) -> dict[str, int]:
    """How many records are owed work now on each queue to which no worker listens; only such queues are asked about."""
    served = {name for worker in listening for name in worker.queues}
    counted = {queue: owed_now(queue) for queue in queues() if queue not in served}
    return {queue: count for queue, count in counted.items() if count}


def owed_now(queue: str) -> int:
    """How many records wait for the queue's workers, rung for or not."""
    return sum(
        owed(model, queue=queue).count()
        + (startable(model).count() if start_of(model).queue == queue else 0)
        + model._default_manager.filter(rung_at__isnull=False, state__in=_states(model, queue)).count()
        for model in sharing(queue)
    )


def _states(model: type[StateMachine], queue: str) -> list[str]:
    return [found.state for found in reactions_of(model) if found.queue == queue]
