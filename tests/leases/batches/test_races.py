"""What was listed before is looked at again once it is locked: two people, each with a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from leases import runs
from leases.batches import import_leases
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine import models as engine
from statemachine.batches import Progress, Stopped, progress_of, run_again, run_many, stop, stopping
from statemachine.errors import NothingToStart
from statemachine.models import TransitionLog
from statemachine.pump import top_up
from statemachine.transitions import Actor, Step, take
from tests.factories import settled
from tests.held import until_somebody_waits
from tests.leases.starting import person_takes, start_by_itself
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

QUEUE = "discovery"


@pytest.fixture
def ivan(django_user_model: type[User]) -> User:
    return django_user_model.objects.create_superuser("ivan")


def meanwhile[T](act: Callable[[], T], *, happens: Callable[[], object]) -> T:
    """What the act comes to if the other thing is committed while it waits for a lock of it."""

    def elsewhere() -> T:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(Lease.objects.select_for_update())
            acting = pool.submit(elsewhere)
            until_somebody_waits()
            happens()
        return acting.result(30)


def behind[T](first: Callable[[], object], act: Callable[[], T]) -> T:
    """What the act comes to if the first thing is done, and committed only when the act waits for it."""

    def elsewhere() -> T:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            acting = pool.submit(elsewhere)
            until_somebody_waits()
        return acting.result(30)


def is_not_found(lease: Lease) -> None:
    """What a worker finds out about a lease that is under way."""
    take(model=Lease, pk=lease.pk, step=Step(transition="record_not_found"), actor=Actor.worker("job-1"))


def settle(state: State = State.DONE) -> None:
    Lease.objects.update(
        state=state, due_at=None, claimed_until=None, rung_at=None, failure_code="x" if state == State.FAILED else ""
    )


class TestStoppingABatch:
    @pytest.fixture
    def batch(self, olivia: User) -> Batch:
        """Its lease is under way."""
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="a.csv")
        top_up(QUEUE)
        return batch

    def test_leaves_what_another_batch_has_started_meanwhile(self, olivia: User, ivan: User, batch: Batch) -> None:
        def is_run_by_another() -> None:
            settle()
            run_many(Lease.objects.all(), ivan)
            start_by_itself(Lease.objects.get(), background=True)

        stopped = meanwhile(lambda: stop(batch_id=batch.pk, user=olivia), happens=is_run_by_another)

        lease = Lease.objects.get()
        assert stopped == Stopped(count=0, left=0)
        assert (lease.state, lease.initiated_by) == ("searching", ivan)

    def test_leaves_what_somebody_has_started_by_hand_meanwhile(self, olivia: User, ivan: User, batch: Batch) -> None:
        def is_run_by_hand() -> None:
            settle()
            person_takes(runs.SEARCH, lease_id=Lease.objects.get().pk, user=ivan)

        stopped = meanwhile(lambda: stop(batch_id=batch.pk, user=olivia), happens=is_run_by_hand)

        assert stopped == Stopped(count=0, left=0)
        assert Lease.objects.get().state == "searching"

    def test_leaves_what_is_run_again_with_it_meanwhile(
        self, olivia: User, ivan: User, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the list was made, and before its leases are taken one by one."""
        cancel_all = stopping._cancel_all

        def run_again_first(*given: Any) -> int:
            settle(State.FAILED)
            run_again(batch_id=batch.pk, state=State.FAILED, user=ivan)
            top_up(QUEUE)
            return cancel_all(*given)

        monkeypatch.setattr(stopping, "_cancel_all", run_again_first)

        stopped = stop(batch_id=batch.pk, user=olivia)

        assert stopped == Stopped(count=0, left=0)
        assert not TransitionLog.objects.filter(transition="cancel").exists()
        assert Lease.objects.get().initiated_by == ivan


class TestCallingOff:
    """Of leases that have a result from before, and whose turn has not come."""

    @pytest.fixture
    def batch(self, olivia: User) -> engine.Batch:
        for number in range(3):
            settled(olivia, lease_number=f"NMNM {number}", state=State.DONE)
        return run_many(Lease.objects.all(), olivia)

    def test_leaves_what_a_worker_has_settled_meanwhile(self, olivia: User, batch: Batch) -> None:
        lease = Lease.objects.order_by("pk")[0]

        def comes_to_its_turn() -> None:
            start_by_itself(lease, background=True)
            is_not_found(lease)

        stopped = meanwhile(lambda: stop(batch_id=batch.pk, user=olivia), happens=comes_to_its_turn)

        assert stopped == Stopped(count=2, left=0)
        assert progress_of(batch) == Progress(settled={State.NOT_FOUND: 1}, not_run=2)

    def test_leaves_what_has_just_begun(self, olivia: User, batch: Batch) -> None:
        """It is cancelled like all that are under way."""
        lease = Lease.objects.order_by("pk")[0]

        stopped = meanwhile(
            lambda: stop(batch_id=batch.pk, user=olivia),
            happens=lambda: start_by_itself(lease, background=True),
        )

        assert stopped == Stopped(count=3, left=0)
        assert [each.state for each in Lease.objects.order_by("pk")] == ["pending", "done", "done"]
        assert progress_of(batch) == Progress(not_run=3)

    def test_by_two_at_the_same_time_is_done_once(self, olivia: User, ivan: User, batch: Batch) -> None:
        stopped = behind(lambda: stop(batch_id=batch.pk, user=olivia), lambda: stop(batch_id=batch.pk, user=ivan))

        assert stopped == Stopped(count=0, left=0)
        assert progress_of(batch) == Progress(not_run=3)

    def test_is_seen_by_who_runs_it_again_at_the_same_time(self, olivia: User, ivan: User, batch: Batch) -> None:
        count = behind(
            lambda: stop(batch_id=batch.pk, user=olivia),
            lambda: run_again(batch_id=batch.pk, state=State.PENDING, user=ivan),
        )

        assert count == 3
        assert progress_of(batch) == Progress(waiting=3, stoppable=3)

    def test_does_not_wait_for_who_waits_for_it_to_delete_a_lease(
        self, olivia: User, batch: Batch, client: Client
    ) -> None:
        """Whoever deletes one holds the lease before its membership, as stopping does."""
        client.force_login(olivia)
        lease = Lease.objects.order_by("pk")[0]

        def its_membership_is_free() -> None:
            assert BatchLease.objects.select_for_update(nowait=True).get(record=lease)

        answer = meanwhile(
            lambda: client.post(f"/admin/leases/lease/{lease.pk}/delete/", {"post": "yes"}),
            happens=its_membership_is_free,
        )

        assert answer.status_code == 302
        assert progress_of(batch).total == 2


class TestRunningAgain:
    def test_leaves_what_somebody_has_started_meanwhile(self, olivia: User, ivan: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=olivia, title="a.csv")
        settle(State.FAILED)
        by_hand = Lease.objects.order_by("pk")[0]

        count = meanwhile(
            lambda: run_again(batch_id=batch.pk, state=State.FAILED, user=olivia),
            happens=lambda: person_takes(runs.SEARCH, lease_id=by_hand.pk, user=ivan),
        )

        assert count == 1
        assert Lease.objects.get(pk=by_hand.pk).initiated_by == ivan

    def test_leaves_what_has_run_to_its_end_meanwhile(self, olivia: User, ivan: User) -> None:
        """What had failed before, and did not run, is no longer what the batch has to run."""
        lease = settled(olivia, state=State.FAILED, failure_code="x")
        batch = run_many(Lease.objects.all(), olivia)
        stop(batch_id=batch.pk, user=olivia)

        def is_run_by_hand() -> None:
            person_takes(runs.SEARCH, lease_id=lease.pk, user=ivan)
            is_not_found(lease)

        with pytest.raises(NothingToStart):
            meanwhile(lambda: run_again(batch_id=batch.pk, state=State.PENDING, user=olivia), happens=is_run_by_hand)

        assert progress_of(batch) == Progress(settled={State.NOT_FOUND: 1})


class TestDeletingMany:
    @pytest.fixture
    def console(self, olivia: User, client: Client) -> Client:
        client.force_login(olivia)
        return client

    def test_leaves_what_somebody_has_started_meanwhile(self, console: Client, olivia: User, ivan: User) -> None:
        lease = settled(olivia, state="done")
        form = {"action": "delete_selected", "_selected_action": [lease.pk], "index": "0"}
        confirmed = question_of(console, console.post("/admin/leases/lease/", form)).context["which"]

        answer = meanwhile(
            lambda: console.post("/admin/leases/lease/", {**form, "confirmed": confirmed}, follow=True),
            happens=lambda: person_takes(runs.SEARCH, lease_id=lease.pk, user=ivan),
        )

        assert "Since you were asked" in answer.text
        assert Lease.objects.get().initiated_by == ivan
