"""`manage.py check` refuses a machine that could silently do nothing."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist

from statemachine.batches import can_be_run_together
from statemachine.models import StateMachine
from statemachine.reactions import Reaction, reactions_of

# What has to be right where work is done; a worker asks for no more.
WORK = "work"


@register(WORK)
def every_working_state_has_a_reaction(_app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """A working state without a reaction would owe work for ever. A reaction of another state would never run."""
    return [
        Error(f"{model._meta.label}: {problem}", id=f"statemachine.{number}")
        for model in apps.get_models()
        if issubclass(model, StateMachine)
        for number, problem in list(_problems_of_states(model)) or _problems_of_ways(model)
    ]


def _problems_of_states(model: type[StateMachine]) -> Iterator[tuple[str, str]]:
    """Each with its number. The ways between the states are looked at once there are none."""
    reacting = {each.state for each in reactions_of(model)}
    for state in sorted(model.working_states - reacting):
        yield "E001", f"no reaction is registered for the working state “{state}”."
    for state in sorted(reacting - model.working_states):
        yield "E002", f"“{state}” has a reaction but is not among working_states."
    for found in reactions_of(model):
        yield from _problems_of_reaction(found)
    started = _leads_to(model, model.start_transition)
    if len(started) != 1 or not started <= reacting:
        yield "E004", f"its start “{model.start_transition}” must lead to one working state."


def _problems_of_reaction(found: Reaction) -> Iterator[tuple[str, str]]:
    if found.queue not in settings.RQ_QUEUES:
        yield "E003", f"the work of “{found.state}” names the queue “{found.queue}”, which RQ_QUEUES lacks."
    for name in found.together.key if found.together else ():
        try:
            found.model._meta.get_field(name)
        except FieldDoesNotExist:
            yield "E006", f"the work of “{found.state}” is put together by “{name}”, which is none of its columns."


def _problems_of_ways(model: type[StateMachine]) -> Iterator[tuple[str, str]]:
    """What is owed is started, given up and stopped from wherever a record may be. Else it would be tried for ever."""
    resting = set(model.states()) - model.working_states
    has_batches = can_be_run_together(model)
    for state in sorted((resting if has_batches else {model.initial_state()}) - _leaves(model, model.start_transition)):
        yield "E007", f"its start “{model.start_transition}” is not possible from “{state}”."
    if len(_leads_to(model, "fail") & resting) != 1 or model.working_states - _leaves(model, "fail"):
        yield "E008", "“fail” must lead from every working state to one that owes nothing."
    if not has_batches:
        return
    if not model.run_ends or model.run_ends - resting:
        yield "E005", "it has batches, so it must say in run_ends where a whole run ends."
    is_stoppable = _leads_to(model, "cancel") == {model.initial_state()} and model.right_to("cancel")
    if not is_stoppable or model.working_states - _leaves(model, "cancel"):
        yield (
            "E005",
            "it has batches, so it must say by a transition “cancel” who may stop a record in any working state.",
        )


def _leads_to(model: type[StateMachine], transition: str) -> set[str]:
    """Empty where there is no such transition."""
    return {str(each.target) for each in _ways(model, transition).values()}


def _leaves(model: type[StateMachine], transition: str) -> set[str]:
    """The states from which it is possible; django-fsm has signs for all of them, and for all but its target."""
    ways = _ways(model, transition)
    if any(source in ways for source in ("*", "+")):
        return set(model.states())
    return {str(source) for source in ways}


def _ways(model: type[StateMachine], transition: str) -> dict[str, Any]:
    found: dict[str, Any] = getattr(getattr(getattr(model, transition, None), "_django_fsm", None), "transitions", {})
    return found
