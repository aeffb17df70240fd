"""Races on PostgreSQL with real transactions; each contender has a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core.base.errors import Refused
from statemachine import jobs, pump
from statemachine.dispatch import kick
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome, Run
from statemachine.reconcile import Reconciled, reconcile
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import dispatch_all, history, in_s, message, noting, owed
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


@contextmanager
def locking(*kettles: Kettle) -> Iterator[None]:
    """Somebody has taken hold of the rows and does not let go: a process stopped in the middle of a transaction."""
    somebody = connection.copy()
    somebody.set_autocommit(False)
    try:
        with somebody.cursor() as cursor:
            cursor.execute("SELECT FROM toy_kettle WHERE id = ANY(%s) FOR UPDATE", [[each.pk for each in kettles]])
        yield
    finally:
        somebody.close()


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

        at_once(lambda: kick("toy.kettle", kettle.pk, queue="toy"), reconcile, reconcile)

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


class TestALockThatNobodyLetsGo:
    """A process was stopped, or its host lost, between taking hold of a row and committing."""

    def test_the_reconciler_passes_it_by(self) -> None:
        crashed = {"tries": 3, "due_at": in_s(-1), "claimed_until": in_s(-1)}
        unanswered = {"rung_at": in_s(-3), "due_at": in_s(20)}
        held = [owed(**crashed), owed(**unanswered), owed(), Kettle.objects.create()]
        for values in (crashed, unanswered, {}):
            owed(**values)
        Kettle.objects.create()

        with locking(*held):
            assert reconcile() == Reconciled(crashed=1, lost=1, dispatched=3, started=1)
        assert reconcile() == Reconciled(crashed=1, lost=1, dispatched=3, started=1)

    def test_the_reconciler_passes_by_a_row_whose_record_needs_it(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(pump, "LOCK_PATIENCE_MS", 50)
        held, plain_save = owed(label="held"), Kettle.save
        needy, sound = Kettle.objects.create(label="needy"), Kettle.objects.create()

        def save(kettle: Kettle, *args: Any, **kwargs: Any) -> None:
            if kettle.label == "needy":
                Kettle.objects.filter(pk=held.pk).update(litres=7)
            plain_save(kettle, *args, **kwargs)

        monkeypatch.setattr(Kettle, "save", save)

        with locking(held), caplog.at_level("INFO"):
            assert reconcile().started == 1

        assert Kettle.objects.get(pk=sound.pk).state == "heating"
        assert Kettle.objects.get(pk=needy.pk).due_at == needy.due_at, "it is tried again at the next pass"
        assert "holds a row for too long" in caplog.text

    def test_work_that_meets_it_is_put_back_at_no_cost(self, work: Work) -> None:
        held, kettle = owed(), owed(tries=2)

        def note(_record: Kettle) -> dict[str, Any]:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 50")
            Kettle.objects.filter(pk=held.pk).update(litres=7)
            return {}

        work["heat"] = lambda _run: Outcome(transition="boiled", record=note)

        with locking(held):
            assert run(kettle)() == "waiting"

        kettle = Kettle.objects.get(pk=kettle.pk)
        assert (kettle.state, kettle.tries, kettle.claimed_until, kettle.failure_code) == (
            "heating", 2, None, "row_locked",
        )  # fmt: skip

    def test_giving_up_that_meets_it_is_put_off(self, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
        held, kettle = owed(), owed()

        def save(_kettle: Kettle, *_args: Any, **_kwargs: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 50")
            Kettle.objects.filter(pk=held.pk).update(litres=7)

        def refuse(_run: Run[Kettle]) -> Outcome:
            raise Refused("no")

        work["heat"] = refuse
        monkeypatch.setattr(Kettle, "save", save)

        with locking(held):
            assert run(kettle)() == "waiting"

        assert Kettle.objects.get(pk=kettle.pk).tries == 0

    def test_the_database_ends_it(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')::interval")
            assert cursor.fetchone() == (timedelta(seconds=settings.TRANSACTION_IDLE_S),)


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
