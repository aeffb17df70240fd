"""`manage.py check` refuses a machine that could silently do nothing."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from statemachine.batches import can_be_run_together
from statemachine.models import StateMachine
from statemachine.reactions import reactions_of, started_states

# What has to be right where work is done; a worker asks for no more.
WORK = "work"


@register(WORK)
def every_working_state_has_a_reaction(_app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """A working state without a reaction would owe work for ever. A reaction of another state would never run."""
    return [problem for model in apps.get_models() if issubclass(model, StateMachine) for problem in _problems(model)]


def _problems(model: type[StateMachine]) -> list[CheckMessage]:
    reacting = {each.state for each in reactions_of(model)}
    label = model._meta.label
    return [
        *(
            Error(f"{label}: no reaction is registered for the working state “{state}”.", id="statemachine.E001")
            for state in sorted(model.working_states - reacting)
        ),
        *(
            Error(
                f"{label}: the work of “{each.state}” names the queue “{each.queue}”, which RQ_QUEUES lacks.",
                id="statemachine.E003",
            )
            for each in reactions_of(model)
            if each.queue not in settings.RQ_QUEUES
        ),
        *(
            [
                Error(
                    f"{label}: its start “{model.start_transition}” must lead to one working state.",
                    id="statemachine.E004",
                )
            ]
            if len(started_states(model)) != 1 or not started_states(model) <= reacting
            else []
        ),
        *(
            Error(f"{label}: “{state}” has a reaction but is not among working_states.", id="statemachine.E002")
            for state in sorted(reacting - model.working_states)
        ),
        *(
            Error(f"{label}: it has batches, so it must say {what}.", id="statemachine.E005")
            for what in (_lacking_for_batches(model) if can_be_run_together(model) else ())
        ),
    ]


def _lacking_for_batches(model: type[StateMachine]) -> Iterator[str]:
    """Without the ends nothing would ever count as run; without a way to stop it, stopping a batch would break off."""
    if not model.run_ends:
        yield "in run_ends where a whole run ends"
    if not (hasattr(model, "cancel") and model.right_to("cancel")):
        yield "by a transition “cancel” who may stop a record"
