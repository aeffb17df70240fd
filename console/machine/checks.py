"""`manage.py check` refuses a kind of record whose declaration would lead to error pages, or do another thing than it says."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.core.checks import Error

from console.records.filters import AskingFilter
from statemachine.batches import batch_of, can_be_run_together
from statemachine.errors import UnknownTransition

if TYPE_CHECKING:
    from console.machine.page import MachineAdmin
    from statemachine.models import StateMachine

# What stands in the address of a record's other pages, where the name of a button would. Theirs comes first: a button
# “delete” would delete.
TAKEN = frozenset({"change", "delete", "history", "live"})


def errors_of(shown: "MachineAdmin") -> list[Error]:
    """What is wrong with how the records of a machine are shown."""
    label = shown.opts.label
    return [
        Error(f"{label}: {what}", id=f"console.{number}")
        for number, what in (*_buttons(shown), *_many(shown), *_filters(shown))
    ]


def _buttons(shown: "MachineAdmin") -> Iterator[tuple[str, str]]:
    for button in shown.buttons:
        if button.name in TAKEN:
            yield "E001", f"“{button.name}” is the address of another page, and so no name for a button."
        if button.step is None:
            if not (button.service and button.permission):
                yield (
                    "E002",
                    f"its button “{button.label}” takes no transition, and so needs a service and a permission.",
                )
            continue
        try:
            right = button.right(shown.model)
        except UnknownTransition:
            yield "E002", f"its button “{button.label}” takes “{button.step.transition}”, which is no transition."
        else:
            if not right:
                yield "E002", f"its button “{button.label}” takes “{button.step.transition}”, which is for no person."
    names, keys = (Counter(getattr(each, what) for each in shown.buttons) for what in ("name", "key"))
    for twice in (*(name for name in names if names[name] > 1), *(key for key in keys if key and keys[key] > 1)):
        yield "E003", f"two of its buttons have “{twice}”."


def _many(shown: "MachineAdmin") -> Iterator[tuple[str, str]]:
    """What leads to batches needs them, and their page."""
    machine: type[StateMachine] = shown.model
    if shown.many and not (can_be_run_together(machine) and shown.admin_site.is_registered(batch_of(machine))):
        yield "E004", "many of it can be run together, but it has no BatchItem, or its batches have no page."


def _filters(shown: "MachineAdmin") -> Iterator[tuple[str, str]]:
    for each in shown.list_filter:
        if isinstance(each, type) and issubclass(each, AskingFilter) and (lacked := each.lacks(shown.model)):
            yield "E005", f"its list has the {each.__name__}, but {lacked}."
