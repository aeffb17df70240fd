"""Long work in slices: each keeps what it has reached, and waits for its turn like everybody else."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis

from core.base.errors import Permanent, Temporary
from statemachine import doorbell, jobs
from statemachine.line import next_in_line
from statemachine.models import TransitionLog
from statemachine.reactions import Ending, GoOn, Outcome, Run
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Actor, Step, take
from tests.statemachine.conftest import history, in_s, message, owed
from tests.statemachine.test_line import order
from tests.toy.models import Kettle
from tests.toy.reactions import TRIES, Work

pytestmark = pytest.mark.django_db


class PowerCut(Temporary):
    """The power went away."""

    code = "cut_short"


def litre_by_litre(run: Run[Kettle], *, full: int = 3) -> Ending:
    """Heats a litre in each slice; the last one ends the work."""
    if run.record.litres + 1 < full:
        return GoOn(record=one_more)
    return Outcome(transition="boiled", record=lambda kettle: {"litres": kettle.litres + 1})


def one_more(kettle: Kettle) -> None:
    kettle.litres += 1


def slice_of(kettle: Kettle) -> Any:
    """Let a worker do the next slice."""
    ringing = message(kettle)
    return jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation)


@pytest.fixture(autouse=True)
def _in_slices(work: Work) -> None:
    work["heat"] = litre_by_litre


@pytest.fixture
def unserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody rings for those who wait."""
    monkeypatch.setattr(jobs, "top_up", lambda _queue: None)


class TestSlices:
    def test_keep_what_they_reach_until_the_work_is_done(self) -> None:
        kettle = owed()

        ended = [slice_of(kettle) for _ in range(3)]

        assert ended == ["goes on", "goes on", "ready"]
        assert Kettle.objects.get().litres == 3
        assert history(kettle) == ["boiled"], "a slice has no row of the log"

    @pytest.mark.usefixtures("unserved")
    def test_owe_the_next_one_at_once_without_a_try(self) -> None:
        kettle = owed(tries=1, failure_code="power_cut", failure_message="The power went away.")

        slice_of(kettle)

        after = Kettle.objects.get()
        assert (after.state, after.generation, after.tries, after.claimed_until) == ("heating", 2, 0, None)
        assert (after.failure_code, after.failure_message) == ("", "")
        assert after.due_at is not None
        assert after.due_at <= in_s(0)
        assert after.entered_at == kettle.entered_at

    def test_ring_for_the_next_one(
        self, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            slice_of(owed())

        assert doorbell.waiting_count("toy") == 1

    def test_are_counted(self, counted: dict[str, float]) -> None:
        kettle = owed()

        for _ in range(3):
            slice_of(kettle)

        assert counted["slices"] == 2

    def test_done_twice_are_done_once(self) -> None:
        kettle = owed()
        ringing = message(kettle)

        ended = [jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation) for _ in range(2)]

        assert ended == ["goes on", "stale"]
        assert Kettle.objects.get().litres == 1

    def test_may_have_nothing_to_write(self, work: Work) -> None:
        work["heat"] = lambda _run: GoOn()

        assert slice_of(owed()) == "goes on"

    def test_can_be_stopped_between_them(self) -> None:
        kettle = owed()
        slice_of(kettle)
        ringing = message(kettle)

        take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=RECONCILER)

        assert jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation) == "stale"
        assert (Kettle.objects.get().state, Kettle.objects.get().litres) == ("cold", 1)

    def test_write_nothing_when_the_row_moved_on_meanwhile(self, work: Work) -> None:
        def stopped_meanwhile(run: Run[Kettle]) -> Ending:
            take(model=Kettle, pk=run.record.pk, step=Step(transition="cancel"), actor=RECONCILER)
            return GoOn(record=lambda _: pytest.fail("kept although stale"))

        work["heat"] = stopped_meanwhile

        assert slice_of(owed()) == "stale"


class TestASliceThatFails:
    def test_is_tried_again_from_what_was_kept(self, work: Work) -> None:
        seen: list[int] = []

        def cut_once(run: Run[Kettle]) -> Ending:
            seen.append(run.record.litres)
            if len(seen) == 2:
                raise PowerCut
            return litre_by_litre(run)

        work["heat"] = cut_once
        kettle = owed(background=True)

        for _ in range(4):
            slice_of(kettle)

        assert seen == [0, 1, 1, 2]
        assert Kettle.objects.get().state == "ready"

    def test_spends_the_budget_of_no_other_slice(self, work: Work) -> None:
        """Each slice fails as often as it may, and the work is done all the same."""
        calls = 0

        def cut_often(run: Run[Kettle]) -> Ending:
            nonlocal calls
            calls += 1
            if calls % TRIES:
                raise PowerCut
            return litre_by_litre(run)

        work["heat"] = cut_often
        kettle = owed(background=True)

        for _ in range(3 * TRIES):
            slice_of(kettle)

        assert Kettle.objects.get().state == "ready"
        assert TransitionLog.objects.get().tries == TRIES, "of the last slice"

    def test_fails_the_record_when_its_own_budget_is_spent(self, work: Work) -> None:
        def cut_after_the_first(run: Run[Kettle]) -> Ending:
            if run.record.litres:
                raise PowerCut
            return litre_by_litre(run)

        work["heat"] = cut_after_the_first
        kettle = owed(background=True)

        for _ in range(1 + TRIES):
            slice_of(kettle)

        assert (Kettle.objects.get().state, Kettle.objects.get().litres) == ("broken", 1)

    def test_for_good_keeps_what_was_reached(self, work: Work) -> None:
        def burst(run: Run[Kettle]) -> Ending:
            if run.record.litres:
                raise Permanent("It has burst.")
            return litre_by_litre(run)

        work["heat"] = burst
        kettle = owed()

        assert [slice_of(kettle), slice_of(kettle)] == ["goes on", "broken"]
        assert Kettle.objects.get().litres == 1

    def test_since_its_worker_is_lost_costs_one_slice(self) -> None:
        kettle = owed()
        slice_of(kettle)
        # The next one was claimed, and then its worker was killed.
        Kettle.objects.update(tries=1, claimed_until=in_s(-1), due_at=in_s(-1))

        assert reconcile().dispatched == 1
        slice_of(kettle)

        assert (Kettle.objects.get().litres, Kettle.objects.get().tries) == (2, 0)


@pytest.mark.usefixtures("unserved")
class TestTurn:
    def test_comes_after_every_row_that_waits_in_the_background(self) -> None:
        long = owed(background=True)
        others = order(3)

        slice_of(long)

        assert [row.pk for row in next_in_line("toy", limit=16)] == [*others, long.pk]

    def test_is_one_in_each_round_beside_a_large_order(self) -> None:
        """A long work and an import of hundreds: neither waits for the other to end."""
        long = owed(background=True)
        order(200)
        rounds: list[bool] = []

        for _ in range(4):
            slice_of(long)
            Kettle.objects.filter(litres__gt=0).update(litres=0)
            rounds.append(long.pk in begun_in_two_rounds(long))

        assert rounds == [True] * 4

    def test_comes_after_what_has_been_clicked(self, cook: User) -> None:
        long, later = owed(), Kettle.objects.create()
        take(model=Kettle, pk=later.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))

        slice_of(long)

        assert [row.pk for row in next_in_line("toy", limit=16)] == [later.pk, long.pk]


def begun_in_two_rounds(long: Kettle) -> set[int]:
    """Which rows two topping-ups take; all but the long work's are done then."""
    begun: set[int] = set()
    for _ in range(2):
        chosen = {row.pk for row in next_in_line("toy", limit=16)}
        Kettle.objects.filter(pk__in=chosen).exclude(pk=long.pk).update(due_at=None)
        begun |= chosen
    return begun


class TestTime:
    def test_of_a_slice_is_up_when_half_of_its_limit_is_over(self) -> None:
        run = Run(record=owed(), job_id="")
        before = run.is_time_up

        run.began_at -= 30

        assert (before, run.is_time_up) == (False, True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    found: dict[str, float] = {}
    monkeypatch.setattr("core.ops.tally.count", lambda name, *_, **__: found.update({name: found.get(name, 0) + 1}))
    return found
