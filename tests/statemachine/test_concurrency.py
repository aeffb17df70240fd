"""Races on PostgreSQL with real transactions; each contender has a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core.errors import Refused
from statemachine import jobs
from statemachine.dispatch import kick
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome, Run
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import dispatch_all, history, message, noting, owed
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*contenders: Callable[[], Any]) -> list[Any]:
    """Run all of them at the same moment; what each returned or raised."""
    barrier = threading.Barrier(len(contenders))

    def contend(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except Refused as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(contenders)) as pool:
        return list(pool.map(contend, contenders))


def run(kettle: Kettle) -> Callable[[], object]:
    ringing = message(kettle)
    return lambda: jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation)


class TestAtTheSameTime:
    def test_two_dispatches_of_one_row_send_one_message(self) -> None:
        owed()

        sent = at_once(*[dispatch_all] * 6)

        assert sorted(sent) == [0, 0, 0, 0, 0, 1]
        assert Kettle.objects.get().generation == 2

    def test_two_dispatchers_share_many_rows_without_overlap(self) -> None:
        Kettle.objects.bulk_create([Kettle(state="heating", generation=1) for _ in range(40)])

        sent = at_once(*[dispatch_all] * 4)

        assert sum(sent) == 40
        assert set(Kettle.objects.values_list("generation", flat=True)) == {2}

    def test_a_kick_and_a_reconciler_send_one_message(self) -> None:
        kettle = owed()

        at_once(lambda: kick("toy.kettle", kettle.pk), reconcile, reconcile)

        assert Kettle.objects.get().generation == 2

    def test_two_reconcilers_start_a_row_once(self) -> None:
        kettle = Kettle.objects.create()

        at_once(*[reconcile] * 4)

        assert history(kettle) == ["switch_on"]

    def test_two_workers_on_one_row_do_the_work_once(self, work: Work) -> None:
        calls: list[int] = []
        work["heat"] = noting(calls, lambda run: run.record.pk, Outcome(transition="boiled"))
        kettle = owed()

        ended = at_once(*[run(kettle)] * 6)

        assert sorted(ended) == ["ready", *["stale"] * 5]
        assert calls == [kettle.pk]
        assert history(kettle) == ["boiled"]

    def test_two_buttons_take_one_transition(self) -> None:
        kettle = Kettle.objects.create()

        def press() -> Kettle:
            return take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=RECONCILER)

        results = at_once(*[press] * 5)

        assert sum(isinstance(each, Refused) for each in results) == 4
        assert history(kettle) == ["switch_on"]

    def test_a_cancel_and_a_result_leave_one_of_them(self, work: Work) -> None:
        kettle = owed()

        def cancel() -> Kettle:
            return take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=RECONCILER)

        at_once(cancel, run(kettle))

        assert history(kettle) in (["cancel"], ["boiled"])


class TestTheZombie:
    def test_a_worker_that_wakes_after_a_redispatch_writes_nothing(self, work: Work) -> None:
        """The stale worker sleeps past its claim; another does its work; then it wakes."""
        asleep, wake = threading.Event(), threading.Event()

        def sleeper(_run: Run[Kettle]) -> Outcome:
            asleep.set()
            assert wake.wait(10)
            return Outcome(transition="boiled", record=lambda _: {"litres": 99})

        work["heat"] = sleeper
        kettle = owed()
        with ThreadPoolExecutor(1) as pool:
            zombie = pool.submit(_closing, run(kettle))
            assert asleep.wait(10)
            Kettle.objects.update(claimed_until=timezone.now(), due_at=timezone.now())
            reconcile()
            work["heat"] = lambda _run: Outcome(transition="boiled", record=lambda _: {"litres": 1})
            assert run(kettle)() == "ready"
            wake.set()

            assert zombie.result(10) == "stale"
        assert Kettle.objects.get().litres == 1
        assert history(kettle) == ["boiled"]

    def test_a_failure_of_a_stale_worker_writes_nothing(self, work: Work) -> None:
        asleep, wake = threading.Event(), threading.Event()

        def sleeper(_run: Run[Kettle]) -> Outcome:
            asleep.set()
            assert wake.wait(10)
            raise Refused("too late")

        work["heat"] = sleeper
        kettle = owed()
        with ThreadPoolExecutor(1) as pool:
            zombie = pool.submit(_closing, run(kettle))
            assert asleep.wait(10)
            take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=RECONCILER)
            wake.set()

            assert zombie.result(10) == "stale"
        assert Kettle.objects.get().state == "cold"
        assert TransitionLog.objects.count() == 1


def _closing(act: Callable[[], object]) -> object:
    try:
        return act()
    finally:
        connection.close()


class TestDeletedUser:
    def test_a_record_outlives_whoever_started_it(self) -> None:
        user = User.objects.create_user("gone")
        owed(initiated_by=user)

        user.delete()

        assert Kettle.objects.get().initiated_by is None
