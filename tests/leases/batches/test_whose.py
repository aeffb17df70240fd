"""Whose a lease's run is, when several people and batches had to do with it."""

import pytest
from django.contrib.auth.models import User

from leases import runs
from leases.batches import import_leases
from leases.models import Lease
from leases.services import resume_failed
from leases.states import State
from statemachine.batches import Stopped, run_again, run_many, stop
from statemachine.models import TransitionLog
from statemachine.pump import top_up
from tests.factories import settled
from tests.leases.starting import person_takes
from tests.roles import in_role

QUEUE = "discovery"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def oscar() -> User:
    return in_role("Operator")


@pytest.fixture
def newcomer() -> User:
    return in_role("Administrator")


def fail(lease: Lease) -> None:
    Lease.objects.filter(pk=lease.pk).update(
        state=State.FAILED, due_at=None, claimed_until=None, rung_at=None, failure_code="connect_dropbox"
    )


class TestWhatSomebodyHasStartedByHand:
    def test_is_not_an_old_batchs_to_stop_when_it_goes_on(self, oscar: User, newcomer: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=oscar, title="a.csv")
        lease = Lease.objects.get()
        fail(lease)
        person_takes(runs.FULL_DISCOVERY, lease_id=lease.pk, user=newcomer)
        fail(lease)
        resume_failed(Lease.objects.all())

        assert stop(batch_id=batch.pk, user=oscar) == Stopped(count=0, left=0)

        lease = Lease.objects.get()
        assert lease.due_at is not None
        assert lease.initiated_by == newcomer

    def test_is_the_batchs_if_nobody_has(self, oscar: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=oscar, title="a.csv")
        fail(Lease.objects.get())
        resume_failed(Lease.objects.all())

        assert stop(batch_id=batch.pk, user=oscar) == Stopped(count=1, left=0)


class TestRunThatNeverBegan:
    def test_leaves_the_lease_whose_it_was(self, oscar: User, newcomer: User) -> None:
        settled(newcomer, initiated_by=newcomer, state="failed", failure_code="connect_dropbox")
        batch = run_many(Lease.objects.all(), oscar)
        assert Lease.objects.get().initiated_by == oscar

        stop(batch_id=batch.pk, user=oscar)

        assert Lease.objects.get().initiated_by == newcomer

    def test_leaves_it_also_after_running_again(self, oscar: User, newcomer: User) -> None:
        settled(newcomer, initiated_by=newcomer, state="failed", failure_code="connect_dropbox")
        batch = run_many(Lease.objects.all(), oscar)
        stop(batch_id=batch.pk, user=oscar)
        run_again(batch_id=batch.pk, state=State.PENDING, user=oscar)

        stop(batch_id=batch.pk, user=oscar)

        assert Lease.objects.get().initiated_by == newcomer

    def test_leaves_an_import_with_who_imported_it(self, oscar: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=oscar, title="a.csv")

        stop(batch_id=batch.pk, user=oscar)

        assert Lease.objects.get().initiated_by == oscar

    def test_is_nobodys_if_that_person_is_gone(self, oscar: User, newcomer: User) -> None:
        """Or what goes on by itself later would use the Dropbox of whoever has only tried to run it."""
        settled(oscar, initiated_by=newcomer, state="failed", failure_code="configuration_missing", generation=2)
        batch = run_many(Lease.objects.all(), oscar)
        newcomer.delete()

        stop(batch_id=batch.pk, user=oscar)

        assert Lease.objects.get().initiated_by is None


class TestRunThatHasBegun:
    def test_is_whose_it_is_when_it_goes_on_and_is_stopped(self, oscar: User, newcomer: User) -> None:
        settled(newcomer, initiated_by=newcomer, state="failed", failure_code="x", generation=2)
        batch = run_many(Lease.objects.all(), oscar)
        top_up(QUEUE)
        fail(Lease.objects.get())
        resume_failed(Lease.objects.all())

        stop(batch_id=batch.pk, user=oscar)

        lease = Lease.objects.get()
        assert (lease.initiated_by, lease.initiated_before) == (oscar, None)


class TestNobodyStandsIn:
    def test_for_who_started_a_run_that_goes_on_by_itself(self, oscar: User, newcomer: User) -> None:
        settled(oscar, initiated_by=newcomer, state="failed", failure_code="configuration_missing", generation=2)
        newcomer.delete()
        resume_failed(Lease.objects.all())

        top_up(QUEUE)

        lease = Lease.objects.get()
        assert (lease.state, lease.initiated_by) == ("searching", None)

    def test_for_who_started_a_batch_that_has_not_begun(self, oscar: User, newcomer: User) -> None:
        settled(oscar, initiated_by=oscar, state="pending")
        run_many(Lease.objects.all(), newcomer)
        newcomer.delete()

        top_up(QUEUE)

        assert Lease.objects.get().initiated_by is None

    def test_but_the_creator_of_a_new_lease_is_who_starts_it(self, oscar: User) -> None:
        Lease.objects.create(agency="BLM", lease_number="NMNM 1", created_by=oscar)

        top_up(QUEUE)

        assert Lease.objects.get().initiated_by == oscar
        assert TransitionLog.objects.get().actor_kind == "reconciler"
