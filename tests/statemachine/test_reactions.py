from dataclasses import replace

import pytest
from django.apps import apps

from statemachine import reactions
from statemachine.checks import every_working_state_has_a_reaction
from statemachine.models import StateMachine
from statemachine.reactions import Backoff, Outcome, machines, reaction, reaction_for, reactions_of
from tests.toy.models import Kettle, State

MACHINES = [model for model in apps.get_models() if issubclass(model, StateMachine)]


class TestBackoff:
    @pytest.mark.parametrize(("tries", "about_s"), [(1, 2), (2, 4), (3, 8), (4, 16), (9, 120)])
    def test_grows_until_its_cap_with_jitter(self, tries: int, about_s: int) -> None:
        backoff = Backoff(tries=5, base_s=2, cap_s=120)

        delays = {backoff.delay_s(tries=tries) for _ in range(50)}

        assert len(delays) > 1
        assert all(about_s * 0.5 <= delay <= about_s * 1.5 for delay in delays)

    def test_never_waits_for_less_than_was_asked_for(self) -> None:
        assert Backoff(tries=5, base_s=2, cap_s=120).delay_s(tries=1, retry_after_s=300) == 300


class TestRegistry:
    @pytest.mark.parametrize("model", MACHINES)
    def test_every_working_state_of_every_machine_has_exactly_one_reaction(self, model: type[StateMachine]) -> None:
        assert sorted(each.state for each in reactions_of(model)) == sorted(model.working_states)

    def test_knows_the_machines(self) -> None:
        assert Kettle in machines()

    def test_finds_the_reaction_of_a_state(self) -> None:
        assert reaction_for(Kettle, "heating").queue == "toy"
        assert reaction_for(Kettle, State.HEATING).tries == 3

    def test_refuses_a_second_reaction_for_a_state(self) -> None:
        with pytest.raises(AssertionError, match="already has a reaction for heating"):
            reaction(Kettle, State.HEATING, retry=lambda: Backoff(tries=1, base_s=1, cap_s=1))(
                lambda _run: Outcome(transition="boiled")
            )


class TestCheck:
    def test_is_content_with_the_machines_there_are(self) -> None:
        assert [each for each in every_working_state_has_a_reaction() if "Kettle" in each.msg] == []

    def test_names_a_working_state_without_a_reaction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "working_states", frozenset({"heating", "steeping", "ready"}))

        assert [
            each.msg
            for each in every_working_state_has_a_reaction()
            if each.id == "statemachine.E001" and "toy" in each.msg
        ] == ["toy.Kettle: no reaction is registered for the working state “ready”."]

    def test_names_a_machine_with_two_queues(self, monkeypatch: pytest.MonkeyPatch) -> None:
        elsewhere = replace(reaction_for(Kettle, "heating"), queue="other")
        key: tuple[type[StateMachine], str] = (Kettle, "heating")
        monkeypatch.setitem(reactions._registry, key, elsewhere)

        assert [each.id for each in every_working_state_has_a_reaction() if "Kettle" in each.msg] == [
            "statemachine.E003"
        ]

    def test_names_a_reaction_of_a_state_that_owes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "working_states", frozenset({"heating"}))

        assert [each.id for each in every_working_state_has_a_reaction() if "toy" in each.msg] == ["statemachine.E002"]
