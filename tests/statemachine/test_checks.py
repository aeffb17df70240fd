"""What `manage.py check` says of a machine that would owe work for ever, or break off in the middle of something."""

from collections.abc import Callable

import pytest

from statemachine.checks import every_working_state_has_a_reaction
from statemachine.reactions import Together
from tests.toy.models import Kettle, State


def found() -> list[tuple[str, str]]:
    problems = every_working_state_has_a_reaction()
    return [(str(each.id).rpartition(".")[2], each.msg.partition(": ")[2]) for each in problems if "Kettle" in each.msg]


def without(patch: pytest.MonkeyPatch, transition: str, source: State) -> None:
    """The transition is not possible from there."""
    patch.delitem(getattr(Kettle, transition)._django_fsm.transitions, source)


class TestStart:
    def test_that_there_is_not_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "start_transition", "whistle")

        assert found() == [("E004", "its start “whistle” must lead to one working state.")]

    def test_must_be_possible_wherever_a_batch_may_owe_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "switch_on", State.READY)

        assert found() == [("E007", "its start “switch_on” is not possible from “ready”.")]


class TestFail:
    def test_must_be_possible_from_every_working_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "fail", State.STEEPING)

        assert found() == [("E008", "“fail” must lead from every working state to one that owes nothing.")]


class TestBatches:
    @pytest.mark.parametrize("ends", [frozenset[str](), frozenset({"heating"}), frozenset({"whistling"})])
    def test_need_ends_that_owe_nothing(self, ends: frozenset[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "run_ends", ends)

        assert found() == [("E005", "it has batches, so it must say in run_ends where a whole run ends.")]

    def test_need_a_way_to_stop_every_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "cancel", State.STEEPING)

        (problem,) = found()
        assert problem[0] == "E005"
        assert "“cancel”" in problem[1]


class TestTogether:
    def test_is_by_columns(self, declared: Callable[..., None]) -> None:
        declared(State.HEATING, together=Together(at_most=2, key=("litres", "colour")))

        assert found() == [("E006", "the work of “heating” is put together by “colour”, which is none of its columns.")]


class TestAnySource:
    @pytest.mark.parametrize("sign", ["*", "+"])
    def test_is_every_state(self, sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
        ways = Kettle.fail._django_fsm.transitions
        monkeypatch.setitem(ways, sign, ways[State.STEEPING])
        without(monkeypatch, "fail", State.STEEPING)

        assert found() == []
