"""Kettles that are worked on together, and how each of them ends."""

from collections.abc import Callable
from typing import Any

from core.base.errors import Permanent, Temporary
from statemachine import jobs
from statemachine.doorbell import Message
from statemachine.reactions import Ending, Endings, Outcome, Run, Together
from tests.toy.models import Kettle, State

AT_MOST = 10
BOILED = Outcome(transition="boiled")
type React = Callable[[list[Run[Kettle]]], Endings]
type Declare = Callable[..., None]


class Draught(Temporary):
    """There is a draught."""

    code = "draught"


class Pause(Draught):
    costs_try = False


class Cracked(Permanent):
    """It has a crack."""

    code = "cracked"


def run(ringing: Message) -> Any:
    return jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation)


def all_of(ending: Ending) -> React:
    return lambda runs: Endings(each=[ending] * len(runs))


def by_label(**endings: Any) -> React:
    """Each ends as its label says; others boil."""
    return lambda runs: Endings(each=[endings.get(run.record.label, BOILED) for run in runs])


def states() -> list[str]:
    return list(Kettle.objects.order_by("pk").values_list("state", flat=True))


class Sets:
    """The sets that came to the reaction, by the keys of their rows."""

    def __init__(self, declared: Declare) -> None:
        self.seen: list[list[int]] = []
        self._declared = declared

    def work_as(
        self,
        react: React,
        *,
        state: str = State.HEATING,
        key: tuple[str, ...] = ("litres",),
        wanted: Callable[[Kettle], int] | None = None,
    ) -> None:
        def noting(runs: list[Run[Kettle]]) -> Endings:
            self.seen.append([run.record.pk for run in runs])
            return react(runs)

        self._declared(state, react=noting, together=Together(at_most=AT_MOST, key=key, wanted=wanted))
