"""What was listed before is looked at again once it is locked: two people, each with a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from leases import batches, services
from leases.batches import Stopped, import_leases, run_again, run_many, stop
from leases.models import Batch, Lease
from leases.states import State
from statemachine.models import TransitionLog
from statemachine.pump import top_up
from tests.held import until_somebody_waits
from tests.leases.test_services import settled
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
            services.start_by_itself(Lease.objects.get(), background=True)

        stopped = meanwhile(lambda: stop(batch_id=batch.pk, user=olivia), happens=is_run_by_another)

        lease = Lease.objects.get()
        assert stopped == Stopped(count=0, left=0)
        assert (lease.state, lease.initiated_by) == ("searching", ivan)

    def test_leaves_what_somebody_has_started_by_hand_meanwhile(self, olivia: User, ivan: User, batch: Batch) -> None:
        def is_run_by_hand() -> None:
            settle()
            services.start_search(lease_id=Lease.objects.get().pk, user=ivan)

        stopped = meanwhile(lambda: stop(batch_id=batch.pk, user=olivia), happens=is_run_by_hand)

        assert stopped == Stopped(count=0, left=0)
        assert Lease.objects.get().state == "searching"

    def test_leaves_what_is_run_again_with_it_meanwhile(
        self, olivia: User, ivan: User, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the list was made, and before its leases are taken one by one."""
        cancel_all = batches._cancel_all

        def run_again_first(*given: Any) -> int:
            settle(State.FAILED)
            run_again(batch_id=batch.pk, state=State.FAILED, user=ivan)
            top_up(QUEUE)
            return cancel_all(*given)

        monkeypatch.setattr(batches, "_cancel_all", run_again_first)

        stopped = stop(batch_id=batch.pk, user=olivia)

        assert stopped == Stopped(count=0, left=0)
        assert not TransitionLog.objects.filter(transition="cancel").exists()
        assert Lease.objects.get().initiated_by == ivan


class TestRunningAgain:
    def test_leaves_what_somebody_has_started_meanwhile(self, olivia: User, ivan: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=olivia, title="a.csv")
        settle(State.FAILED)
        by_hand = Lease.objects.order_by("pk")[0]

        count = meanwhile(
            lambda: run_again(batch_id=batch.pk, state=State.FAILED, user=olivia),
            happens=lambda: services.start_search(lease_id=by_hand.pk, user=ivan),
        )

        assert count == 1
        assert Lease.objects.get(pk=by_hand.pk).initiated_by == ivan


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
            happens=lambda: services.start_search(lease_id=lease.pk, user=ivan),
        )

        assert "Since you were asked" in answer.text
        assert Lease.objects.get().initiated_by == ivan
