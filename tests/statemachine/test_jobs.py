from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings
from rq import Retry

from core.base.errors import Permanent, Refused, SoftTimeLimit, Temporary, WorkerStopping
from statemachine import jobs
from statemachine.doorbell import Message
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome, Run
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import due_at, history, message, noting, owed
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db


class Interrupted(Temporary):
    """The power went away."""

    code = "power_cut"


class Paused(Interrupted):
    costs_try = False


def run(message: Message) -> Any:
    return jobs.run(message.label, message.pk, message.state, message.generation)


def raising(error: BaseException) -> Callable[[Run[Kettle]], Outcome]:
    def react(_run: Run[Kettle]) -> Outcome:
        raise error

    return react


class TestRun:
    def test_does_the_work_and_records_its_outcome(self, work: Work) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", record=lambda _: {"litres": 3}, evidence={"c": 100})
        kettle = owed()

        ended = run(message(kettle))

        assert ended == "ready"
        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.litres, kettle.generation, kettle.claimed_until) == ("ready", 3, 2, None)
        row = TransitionLog.objects.get()
        assert (row.actor_kind, row.job_id, row.evidence, row.tries) == (
            "worker", f"toy_kettle-{kettle.pk}-heating-1", {"c": 100}, 1,
        )  # fmt: skip

    def test_counts_a_try_when_it_claims(self, work: Work) -> None:
        tries: list[int] = []
        work["heat"] = noting(tries, lambda run: run.record.tries, Outcome(transition="boiled"))

        run(message(owed(tries=1)))

        assert tries == [2]

    def test_is_stale_when_the_row_has_moved_on(self) -> None:
        kettle = owed()
        seen = message(kettle)
        Kettle.objects.update(generation=2)

        assert run(seen) == "stale"
        assert history(kettle) == []

    def test_is_stale_when_the_row_is_gone(self) -> None:
        kettle = owed()
        seen = message(kettle)
        kettle.delete()

        assert run(seen) == "stale"

    def test_is_stale_while_another_worker_holds_the_row(self) -> None:
        kettle = owed(claimed_until=timezone.now() + timedelta(seconds=30))

        assert run(message(kettle)) == "stale"
        assert Kettle.objects.get().tries == 0

    def test_takes_over_from_a_worker_whose_claim_ran_out(self) -> None:
        kettle = owed(claimed_until=timezone.now() - timedelta(seconds=1), tries=1)

        assert run(message(kettle)) == "ready"

    def test_done_twice_does_the_work_once(self, work: Work) -> None:
        calls: list[int] = []
        work["heat"] = noting(calls, lambda run: run.record.pk, Outcome(transition="boiled"))
        seen = message(owed())

        assert (run(seen), run(seen)) == ("ready", "stale")
        assert len(calls) == 1

    def test_writes_nothing_when_the_row_moved_on_meanwhile(self, work: Work) -> None:
        def cancelled_meanwhile(run: Run[Kettle]) -> Outcome:
            take(model=Kettle, pk=run.record.pk, step=Step(transition="cancel"), actor=RECONCILER)
            return Outcome(transition="boiled", record=lambda _: pytest.fail("recorded although stale"))

        work["heat"] = cancelled_meanwhile
        kettle = owed()

        assert run(message(kettle)) == "stale"
        assert history(kettle) == ["cancel"]

    def test_stops_when_it_finds_its_claim_lost(self, work: Work) -> None:
        def redispatched_meanwhile(run: Run[Kettle]) -> Outcome:
            Kettle.objects.update(generation=2)
            run.hold.renewed_at -= 60
            run.keep_claim()
            return pytest.fail("went on without the claim")

        work["heat"] = redispatched_meanwhile
        kettle = owed()

        assert run(message(kettle)) == "stale"
        assert history(kettle) == []

    def test_keeps_its_claim_while_the_row_is_its_own(self, work: Work) -> None:
        def slow(run: Run[Kettle]) -> Outcome:
            held_until = due_at(Kettle.objects.get())
            run.keep_claim()
            assert due_at(Kettle.objects.get()) == held_until, "renewed although it was claimed just now"
            run.hold.renewed_at -= 60
            run.keep_claim()
            assert due_at(Kettle.objects.get()) > held_until
            assert Kettle.objects.get().claimed_until == due_at(Kettle.objects.get())
            return Outcome(transition="boiled")

        work["heat"] = slow

        assert run(message(owed())) == "ready"


class TestGoingStraightOn:
    def test_works_on_the_next_state_in_the_same_job(self, work: Work) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", then="steep", carry="hot water")
        carried: list[object] = []
        work["steep"] = noting(carried, lambda run: run.carry, Outcome(transition="poured"))
        kettle = owed()

        assert run(message(kettle)) == "ready"
        assert carried == ["hot water"]
        assert history(kettle) == ["boiled", "steep", "poured"]

    @pytest.mark.parametrize("why", ["", "it is tea time"])
    def test_says_why_in_the_words_of_the_reaction(self, work: Work, why: str) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", then="steep", then_reason=why)
        kettle = owed()

        run(message(kettle))

        assert TransitionLog.objects.of(kettle).get(transition="steep").reason == why

    def test_holds_the_row_from_the_moment_it_enters_the_next_state(self, work: Work) -> None:
        seen: list[Kettle] = []
        work["heat"] = lambda _run: Outcome(transition="boiled", then="steep")
        work["steep"] = noting(seen, lambda run: Kettle.objects.get(), Outcome(transition="poured"))

        run(message(owed()))

        assert (seen[0].state, seen[0].tries) == ("steeping", 1)
        assert seen[0].claimed_until is not None

    def test_puts_the_next_state_back_when_only_that_fails(self, work: Work) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", then="steep")
        work["steep"] = raising(Interrupted())
        kettle = owed()

        assert isinstance(run(message(kettle)), Retry)
        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.claimed_until) == ("steeping", 1, None)

    def test_takes_both_transitions_or_none(self, work: Work) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", record=lambda _: {"litres": 0}, then="steep")
        kettle = owed()

        run(message(kettle))

        assert history(kettle) == ["fail"]


class TestToppingUp:
    def test_rings_for_the_next_row_when_the_job_is_done(self) -> None:
        first, second = owed(), owed()

        run(message(first))

        assert Kettle.objects.get(pk=second.pk).rung_at is not None

    def test_is_left_to_the_reconciler_when_redis_is_away(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        first, second = owed(), owed()

        assert run(message(first)) == "ready"

        assert Kettle.objects.get(pk=second.pk).rung_at is None
        assert "the reconciler does it" in caplog.text

    def test_is_left_to_the_reconciler_when_the_database_goes_away(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(jobs, "top_up", Mock(side_effect=OperationalError("gone")))

        assert run(message(owed())) == "ready"
        assert "the reconciler does it. The database does not answer (gone)." in caplog.text


class TestTemporaryFailure:
    def test_waits_and_tries_again(self, work: Work) -> None:
        work["heat"] = raising(Interrupted())
        kettle = owed()
        before = timezone.now()

        again = run(message(kettle))

        assert isinstance(again, Retry)
        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.generation, kettle.claimed_until) == ("heating", 1, 1, None)
        assert 0.9 <= (due_at(kettle) - before).total_seconds() <= 4
        assert (kettle.failure_code, kettle.failure_message) == (
            "power_cut", "The power went away. It is tried again by itself.",
        )  # fmt: skip
        assert history(kettle) == []

    def test_waits_as_long_as_the_other_side_asks(self, work: Work) -> None:
        work["heat"] = raising(Interrupted(retry_after_s=300))
        before = timezone.now()

        again = run(message(owed()))

        assert again.intervals == [300]
        assert (due_at(Kettle.objects.get()) - before).total_seconds() >= 299

    def test_gives_up_when_the_budget_is_spent(self, work: Work) -> None:
        work["heat"] = raising(Interrupted("No power for days.", evidence={"volts": 0}))
        kettle = owed(tries=2)

        assert run(message(kettle)) == "broken"
        kettle = Kettle.objects.get()
        assert (kettle.failure_code, kettle.failure_message) == (
            "power_cut",
            "No power for days. It was tried 3 times.",
        )
        assert TransitionLog.objects.get().evidence == {"volts": 0}
        assert TransitionLog.objects.get().tries == 3

    def test_a_pause_costs_no_try(self, work: Work) -> None:
        work["heat"] = raising(Paused(retry_after_s=1))
        kettle = owed(tries=2)

        assert run(message(kettle)) == "waiting", "the reconciler brings it back; RQ would bring all of them at once"
        assert Kettle.objects.get().tries == 2

    def test_a_worker_that_is_told_to_stop_puts_its_work_back_at_no_cost(self, work: Work) -> None:
        work["heat"] = raising(WorkerStopping())

        assert run(message(owed())) == "waiting"

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.claimed_until) == ("heating", 0, None)
        assert kettle.rung_at is not None, "another worker takes it at once"

    def test_what_nobody_waits_for_is_left_to_the_reconciler(self, work: Work) -> None:
        work["heat"] = raising(Interrupted())

        assert run(message(owed(background=True))) == "waiting"
        assert due_at(Kettle.objects.get()) > timezone.now()

    def test_taking_too_long_is_one(self, work: Work) -> None:
        work["heat"] = raising(SoftTimeLimit())

        assert isinstance(run(message(owed())), Retry)
        assert Kettle.objects.get().failure_code == "took_too_long"

    def test_writes_nothing_when_the_row_moved_on_meanwhile(self, work: Work) -> None:
        def redispatched_meanwhile(_run: Run[Kettle]) -> Outcome:
            Kettle.objects.update(generation=2)
            raise Interrupted

        work["heat"] = redispatched_meanwhile

        assert run(message(owed())) == "stale"
        assert Kettle.objects.get().failure_code == ""


class TestFailingForGood:
    def test_is_told_once_it_is_written(self, work: Work, declared: Callable[..., None]) -> None:
        told: list[tuple[str, str]] = []

        def heat(_run: Run[Kettle]) -> Outcome:
            raise Permanent

        def note(kettle: Kettle, error: Permanent) -> None:
            told.append((Kettle.objects.get(pk=kettle.pk).state, error.code))

        declared("heating", react=heat, gave_up=note)

        assert run(message(owed())) == "broken"

        assert told == [("broken", "permanent")]

    @pytest.mark.parametrize("error", [Permanent("It is broken."), Refused("It is broken.")])
    def test_fails_at_once(self, work: Work, error: Exception) -> None:
        work["heat"] = raising(error)
        kettle = owed()

        assert run(message(kettle)) == "broken"
        assert Kettle.objects.get().failure_message == "It is broken."

    def test_a_bug_is_recorded_and_raised(self, work: Work) -> None:
        work["heat"] = raising(ZeroDivisionError("oops"))
        kettle = owed()

        with pytest.raises(ZeroDivisionError):
            run(message(kettle))

        assert Kettle.objects.get().failure_code == "bug"
        assert TransitionLog.objects.get().evidence == {"exception": "ZeroDivisionError"}

    def test_a_bug_is_raised_also_when_the_row_has_moved_on(self, work: Work) -> None:
        def redispatched_meanwhile(_run: Run[Kettle]) -> Outcome:
            Kettle.objects.update(generation=2)
            raise ZeroDivisionError

        work["heat"] = redispatched_meanwhile

        with pytest.raises(ZeroDivisionError):
            run(message(owed()))

        assert Kettle.objects.get().state == "heating"
