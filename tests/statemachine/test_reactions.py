from collections.abc import Callable

import pytest
from django.apps import apps
from django.conf import settings

from statemachine.checks import every_working_state_has_a_reaction
from statemachine.models import StateMachine
from statemachine.reactions import (
    Backoff,
    Limits,
    Outcome,
    machines,
    queue_of,
    queues,
    reaction,
    reaction_for,
    reaction_of_job,
    reactions_of,
)
from tests.toy.models import Kettle, State

MACHINES = [model for model in apps.get_models() if issubclass(model, StateMachine)]


class TestBackoff:
    @pytest.mark.parametrize(("tries", "about_s"), [(1, 2), (2, 4), (3, 8), (4, 16), (9, 120)])
    def test_grows_until_its_cap_with_jitter(self, tries: int, about_s: int) -> None:
        backoff = Backoff(tries=5, base_s=2, cap_s=120)

        delays = {backoff.delay_s(tries=tries) for _ in range(50)}

        assert len(delays) > 1
        assert all(about_s * 0.5 <= delay <= about_s * 1.5 for delay in delays)

    def test_waits_for_its_cap_however_often_it_was_tried(self) -> None:
        assert Backoff(tries=9_000, base_s=2, cap_s=120).delay_s(tries=8_000) <= 180

    def test_never_waits_for_less_than_was_asked_for(self) -> None:
        assert Backoff(tries=5, base_s=2, cap_s=120).delay_s(tries=1, retry_after_s=300) == 300


class TestLimits:
    def test_hold_the_row_as_long_as_the_engine_says_unless_the_work_says_otherwise(self) -> None:
        assert [Limits().held_s, Limits().renewed_every_s] == [settings.CLAIM_S, settings.CLAIM_RENEWAL_S]

    def test_renew_a_longer_claim_as_much_later(self) -> None:
        longer = Limits(claim_s=settings.CLAIM_S * 10)

        assert longer.renewed_every_s == settings.CLAIM_RENEWAL_S * 10

    @pytest.mark.parametrize(("soft_s", "hard_s"), [(60, 60), (0, 1)])
    def test_come_one_after_the_other(self, soft_s: int, hard_s: int) -> None:
        with pytest.raises(AssertionError, match="must come before the hard one"):
            Limits(soft_s=soft_s, hard_s=hard_s)


class TestRegistry:
    @pytest.mark.parametrize("model", MACHINES)
    def test_every_working_state_of_every_machine_has_exactly_one_reaction(self, model: type[StateMachine]) -> None:
        assert sorted(each.state for each in reactions_of(model)) == sorted(model.working_states)

    def test_knows_the_machines(self) -> None:
        assert Kettle in machines()

    def test_finds_the_reaction_of_a_state(self) -> None:
        assert reaction_for(Kettle, "heating").queue == "toy"
        assert reaction_for(Kettle, State.HEATING).tries == 3

    def test_finds_the_reaction_of_a_job(self) -> None:
        assert reaction_of_job("toy_kettle-7-steeping-2") is reaction_for(Kettle, State.STEEPING)
        assert reaction_of_job("toy_kettle-7-ready-2") is None
        assert reaction_of_job("somebody-elses") is None

    def test_knows_each_state_s_queue(self, declared: Callable[..., None]) -> None:
        declared("steeping", queue="other")

        found = [queue_of(Kettle, state) for state in State]

        assert found == ["toy", "toy", "other", "toy", "toy"], "a state that owes nothing has that of its start"
        assert {"discovery", "other", "toy"} <= set(queues())

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

    def test_names_a_queue_that_no_pool_could_listen_to(self, declared: Callable[..., None]) -> None:
        declared("steeping", queue="other")

        assert [(each.id, each.msg) for each in every_working_state_has_a_reaction() if "Kettle" in each.msg] == [
            (
                "statemachine.E003",
                "toy.Kettle: the work of “steeping” names the queue “other”, which RQ_QUEUES lacks.",
            )
        ]

    @pytest.mark.parametrize("start", ["poured", "cancel"])
    def test_names_a_start_that_owes_nothing(self, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "start_transition", start)

        assert [each.id for each in every_working_state_has_a_reaction() if "Kettle" in each.msg] == [
            "statemachine.E004"
        ]

    def test_names_what_batches_need(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "run_ends", frozenset())
        monkeypatch.delattr(Kettle, "cancel")

        assert [each.msg for each in every_working_state_has_a_reaction() if each.id == "statemachine.E005"] == [
            "toy.Kettle: it has batches, so it must say in run_ends where a whole run ends.",
            "toy.Kettle: it has batches, so it must say by a transition “cancel” who may stop a record in any working state.",
        ]

    def test_names_a_reaction_of_a_state_that_owes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Kettle, "working_states", frozenset({"heating"}))

        assert [each.id for each in every_working_state_has_a_reaction() if "toy" in each.msg] == ["statemachine.E002"]
