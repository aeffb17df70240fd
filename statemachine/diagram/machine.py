"""Read a machine out of its code: django-fsm's transitions, the working states and their reactions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.base.errors import Refused
from statemachine.models import StateField, StateMachine
from statemachine.reactions import reactions_of

ANY_STATE = "*"
ANY_OTHER_STATE = "+"


class UnknownState(Refused):
    """This machine has no such state."""

    code = "unknown_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A state.

    Attributes:
        is_working: work is owed until the record leaves it.
        work: what its reaction does; empty where nothing is owed.
        is_marked: to be pointed out, for example because a record is in it.
    """

    name: str
    label: str
    is_initial: bool
    is_working: bool
    work: str = ""
    is_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transition and one of the states it leads to.

    Attributes:
        sources: in the order of the states.
        button: what the operator clicks; empty where only the machine itself moves.
        taken_by: who takes it, for a reader.
        meaning: the first paragraph of its docstring.
    """

    name: str
    sources: tuple[str, ...]
    target: str
    button: str
    taken_by: str
    meaning: str

    @property
    def caption(self) -> str:
        """What it is called in a picture."""
        return self.button or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that a drawing of a machine shows.

    Attributes:
        label: the model's, as in `app.Model`.
        name: what a record is called.
    """

    label: str
    name: str
    nodes: tuple[Node, ...]
    moves: tuple[Move, ...]

    @property
    def initial(self) -> str:
        return next(node.name for node in self.nodes if node.is_initial)


def picture_of(model: type[StateMachine], *, mark: str | None = None) -> Picture:
    """Read a machine.

    Args:
        mark: a state to point out.

    Raises:
        UnknownState: there is no state of the name to mark.
    """
    choices = [(str(value), str(label)) for value, label in _field(model).choices or ()]
    names = [name for name, _ in choices]
    if mark is not None and mark not in names:
        raise UnknownState(f"{model._meta.label} has no state “{mark}”. Its states are {', '.join(names)}.")
    work = {each.state: _first_paragraph(each.react) for each in reactions_of(model)}
    return Picture(
        label=model._meta.label,
        name=str(model._meta.verbose_name),
        nodes=tuple(
            Node(
                name=name,
                label=label,
                is_initial=name == model.initial_state(),
                is_working=name in model.working_states,
                work=work.get(name, ""),
                is_marked=name == mark,
            )
            for name, label in choices
        ),
        moves=tuple(_moves(model, names)),
    )


def _field(model: type[StateMachine]) -> StateField:
    field = model._meta.get_field("state")
    assert isinstance(field, StateField)
    return field


def _moves(model: type[StateMachine], names: list[str]) -> Iterator[Move]:
    """One move for every transition and target, in the order of the code."""
    grouped: dict[tuple[str, str], tuple[Any, set[str]]] = {}
    for found in _field(model).get_all_transitions(model):
        for source, target in _ends(found, names):
            grouped.setdefault((found.name, target), (found, set()))[1].add(source)
    for (name, target), (found, sources) in sorted(grouped.items(), key=lambda each: _line(each[1][0])):
        yield Move(
            name=name,
            sources=tuple(each for each in names if each in sources),
            target=target,
            button=_button(found),
            taken_by=_taken_by(found, model),
            meaning=_first_paragraph(found.method),
        )


def _ends(found: Any, names: list[str]) -> Iterator[tuple[str, str]]:
    """Every state it leads from, with the one or more it leads to."""
    for source in names if found.source in {ANY_STATE, ANY_OTHER_STATE} else [str(found.source)]:
        for target in _targets(found, source):
            if found.source != ANY_OTHER_STATE or source != target:
                yield source, target


def _targets(found: Any, source: str) -> list[str]:
    if found.target is None:
        return [source]
    # A target that is decided when it is taken names what it may be.
    return [str(each) for each in getattr(found.target, "allowed_states", None) or [found.target]]


def _line(found: Any) -> int:
    return int(found.method.__code__.co_firstlineno)


def _button(found: Any) -> str:
    return str(found.custom.get("label") or found.name.replace("_", " ").capitalize()) if found.permission else ""


def _taken_by(found: Any, model: type[StateMachine]) -> str:
    return ", ".join(
        who
        for who, takes in (
            ("operator", found.permission),
            ("worker", not found.permission),
            ("reconciler", found.name in {"fail", model.start_transition}),
        )
        if takes
    )


def _first_paragraph(function: Any) -> str:
    return " ".join((function.__doc__ or "").strip().split("\n\n")[0].split())
