"""What is left without the fence: an engine that looks at the state only, as one would write it without a token."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db.models import QuerySet

from statemachine import claims, jobs, pump, transitions
from statemachine.doorbell import Message
from statemachine.errors import RecordGone, Stale
from statemachine.models import StateMachine
from statemachine.transitions import locked


def rows_in_the_state(*messages: Message) -> QuerySet[StateMachine]:
    model: type[StateMachine] = apps.get_model(messages[0].label)
    return model._default_manager.filter(pk__in=[each.pk for each in messages], state=messages[0].state)


def is_in_the_state(message: Message, record: StateMachine) -> bool:
    return str(record.state) == message.state


@contextmanager
def row_in_the_state[M: StateMachine](model: type[M], message: Message) -> Iterator[M]:
    try:
        with locked(model, message.pk) as record:
            if record.state != message.state:
                raise Stale
            yield record
    except RecordGone:
        raise Stale from None


def take_the_fence_away() -> None:
    """Replace it wherever the engine looks it up; a name that is gone is an error, not a fence that stays."""
    for module, name, replacement in (
        (claims, "unmoved", rows_in_the_state),
        (claims, "FENCE", "state = %(state)s"),
        (claims, "is_unmoved", is_in_the_state),
        (transitions, "fenced", row_in_the_state),
        (jobs, "fenced", row_in_the_state),
        (pump, "fenced", row_in_the_state),
    ):
        assert hasattr(module, name), f"{module.__name__} has no {name}"
        setattr(module, name, replacement)
