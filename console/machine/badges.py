"""How the states of a machine look on every page of the console: by colour, sign and word.

Two machines may have states of the same name that look different, so a state is asked for together with its machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from statemachine.models import StateMachine

# What is drawn in a square of 16, so that nobody has to tell states apart by their colours. Those that several machines have:
CLOCK = "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3l2 2"
TICK = "M3 8.5l3.5 3.5L13 4.5"
CROSSED = "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 12L12 4"
WARNING = "M8 2L1.5 13.5h13zM8 6.5v3.5M8 11.8v.2"
UNKNOWN = "M8 8v.1"

# What is good, bad, worth a look or still to do without being the state of a record: its colour, and its sign.
MARKS = {
    "good": ("done", TICK),
    "bad": ("failed", WARNING),
    "note": ("not_found", CROSSED),
    "open": ("pending", CLOCK),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How the records of one machine look.

    Attributes:
        name: what people call one of them, within a sentence.
        signs: of each state, what is drawn before its word.
        colours: of each state that the style sheet does not know by its name, the class that it has there.
        labels: the words for what is shown like a state and is none; a state's own words are those of its choices.
    """

    machine: type[StateMachine]
    name: str
    signs: Mapping[str, str]
    colours: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def label_of(self, state: str) -> str:
        """Its words; an unknown state speaks for itself."""
        choices = dict(self.machine._meta.get_field("state").choices or ())
        return self.labels.get(state) or str(choices.get(state, state.capitalize()))


type Machine = type[Model] | Model | str
_APPEARANCES: dict[str, Appearance] = {}


def show(*appearances: Appearance) -> None:
    """Let these machines look like that.

    Raises:
        AssertionError: one has a sign for what is neither a state of its own nor called anything.
    """
    for each in appearances:
        if strays := sorted(set(each.signs) - {*each.machine.shown_states(), *each.labels}):
            raise AssertionError(f"{each.machine._meta.label} has no state “{strays[0]}”, but a sign for it")
    _APPEARANCES.update({each.machine._meta.label_lower: each for each in appearances})


def names() -> list[str]:
    """What people call the records of each machine, in the order in which the apps have said so."""
    return [each.name for each in _APPEARANCES.values()]


def label_of(machine: Machine, state: str) -> str:
    """The words for a state.

    Args:
        machine: the model, one of its records, or how the transition log names it: “app.model”.
        state: one that the machine does not know speaks for itself.
    """
    known = _known(machine)
    return known.label_of(state) if known else state.capitalize()


def sign(machine: Machine, state: str) -> SafeString:
    """The state's sign alone, for where the word stands beside it."""
    known = _known(machine)
    return _drawn(known.signs.get(state, UNKNOWN) if known else UNKNOWN)


def state_badge(machine: Machine, state: str, label: str = "") -> SafeString:
    """A state by colour, sign and word; an unknown one gets a plain badge.

    Args:
        machine: as for `label_of`.
        state: of that machine.
        label: other words than the state's own.
    """
    known = _known(machine)
    colour = known.colours.get(state, f"state-{state}") if known else f"state-{state}"
    return _badge(colour, sign(machine, state), label or label_of(machine, state))


def mark(kind: str, words: str) -> SafeString:
    """A badge for what is no state of a record.

    Args:
        kind: one of `MARKS`.
        words: what stands in it.
    """
    colour, drawing = MARKS[kind]
    return _badge(f"state-{colour}", _drawn(drawing), words)


def _badge(colour: str, drawn: SafeString, words: str) -> SafeString:
    return format_html('<span class="state {}">{}{}</span>', colour, drawn, words)


def _drawn(path: str) -> SafeString:
    return format_html('<svg class="sign" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>', path)


def _known(machine: Machine) -> Appearance | None:
    """How it looks; None: there is no such machine, or no longer."""
    key = machine if isinstance(machine, str) else machine._meta.label_lower
    if key in _APPEARANCES:
        return _APPEARANCES[key]
    try:
        model = apps.get_model(key)
    except (LookupError, ValueError):
        return None
    if not issubclass(model, StateMachine):
        return None
    return Appearance(machine=model, name=str(model._meta.verbose_name), signs={})
