"""The tables of the engine."""

from statemachine.models.batches import CALLED_OFF, ITEMS, OWED, Batch, BatchesOf, BatchItem, BatchItemQuerySet
from statemachine.models.log import ActorKind, TransitionLog, TransitionLogQuerySet
from statemachine.models.machine import (
    NEXT_TURN,
    STOPPED,
    STOPPED_LABEL,
    TURNS,
    StateField,
    StateMachine,
    known_states,
    line_indexes,
    state_field,
)
from statemachine.models.operation import Heartbeat, JobQueues

__all__ = [
    "CALLED_OFF",
    "ITEMS",
    "NEXT_TURN",
    "OWED",
    "STOPPED",
    "STOPPED_LABEL",
    "TURNS",
    "ActorKind",
    "Batch",
    "BatchItem",
    "BatchItemQuerySet",
    "BatchesOf",
    "Heartbeat",
    "JobQueues",
    "StateField",
    "StateMachine",
    "TransitionLog",
    "TransitionLogQuerySet",
    "known_states",
    "line_indexes",
    "state_field",
]
