"""Many leases at once: each is owed its run, and what is stopped is what the batch itself has started."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries

from core.base.clock import now
from leases import runs, services
from leases.batches import import_leases
from leases.models import Batch, Lease
from leases.states import State
from statemachine.batches import Progress, Stopped, progress_of, run_again, run_many, stop
from statemachine.errors import BatchGone, NothingToStart, TransitionForbidden
from statemachine.models import TransitionLog
from statemachine.pump import top_up
from tests.leases.starting import person_takes, start_by_itself

pytestmark = pytest.mark.django_db

QUEUE = "discovery"


@pytest.fixture
def operator(viewer: User) -> User:
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["run_discovery", "add_lease"]))
    return viewer


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_superuser("other")


def leases_in(*states: State) -> None:
    """One settled lease for each."""
    for number, state in enumerate(states, 1):
        made = Lease.objects.create(agency="BLM", lease_number=f"NMNM {number}", due_at=None)
        Lease.objects.filter(pk=made.pk).update(state=state, failure_code="x" if state == State.FAILED else "")


def imported(user: User, count: int = 3) -> Batch:
    return import_leases(leases=[("BLM", f"NMNM {n}") for n in range(1, count + 1)], user=user, title="leases.csv")


def states() -> list[tuple[str, bool]]:
    """Each lease's state, and whether anything is owed."""
    return [(lease.state, lease.is_owed) for lease in Lease.objects.order_by("pk")]


def settle(state: State) -> None:
    """Let all leases come to rest."""
    Lease.objects.update(state=state, due_at=None, failure_code="x" if state == State.FAILED else "")


class TestImportLeases:
    def test_makes_leases_that_start_by_themselves_and_let_others_go_first(self, operator: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("NMSLO", "B0-1")], user=operator, title="a.csv", left_out=1)

        assert (batch.kind, batch.title, batch.size, batch.left_out) == ("import", "a.csv", 2, 1)
        assert [str(lease) for lease in Lease.objects.filter(batch_items__batch=batch).order_by("pk")] == [
            "BLM NMNM 1",
            "NMSLO B0-1",
        ]
        for lease in Lease.objects.filter(batch_items__batch=batch):
            assert (lease.state, lease.is_owed, lease.background) == ("pending", True, True)
            assert lease.created_by == lease.updated_by == lease.initiated_by == batch.created_by == operator

    def test_is_taken_up_by_the_pump_one_logged_start_for_each(self, operator: User) -> None:
        batch = imported(operator)

        top_up(QUEUE)

        assert states() == [("searching", True)] * 3
        starts = TransitionLog.objects.filter(transition="start_search")
        assert [row.reason for row in starts] == [f"batch {batch.pk}: leases.csv"] * 3

    def test_saves_nothing_if_one_of_them_exists(self, operator: User) -> None:
        services.create_lease(agency="BLM", lease_number="nmnm 2", created_by=operator)

        with pytest.raises(IntegrityError):
            imported(operator)

        assert not Batch.objects.exists()
        assert Lease.objects.count() == 1

    def test_is_for_who_may_create_leases(self, operator: User) -> None:
        operator.user_permissions.set([])

        with pytest.raises(TransitionForbidden):
            imported(User.objects.get())

        assert not Lease.objects.exists()
        assert not Batch.objects.exists()

    def test_needs_the_same_queries_for_many(
        self, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(10):
            assert imported(operator, 500).size == 500


class TestRunMany:
    def test_owes_each_lease_a_full_discovery(self, operator: User) -> None:
        leases_in(State.FAILED, State.DONE, State.NOT_FOUND, State.PENDING)
        Lease.objects.update(follow_through=False, background=False)

        batch = run_many(Lease.objects.exclude(state=State.NOT_FOUND), operator, title="Chosen leases")

        assert (batch.kind, batch.title, batch.size, batch.created_by) == ("run", "Chosen leases", 3, operator)
        assert states() == [("failed", True), ("done", True), ("not_found", False), ("pending", True)]
        for lease in Lease.objects.filter(batch_items__batch=batch):
            assert (lease.follow_through, lease.background, lease.initiated_by) == (True, True, operator)

    def test_leaves_alone_what_is_under_way_or_about_to_start(self, operator: User, other: User) -> None:
        imported(other, 2)
        person_takes(runs.FULL_DISCOVERY, lease_id=Lease.objects.order_by("pk")[0].pk, user=other)

        with pytest.raises(NothingToStart):
            run_many(Lease.objects.all(), operator)

        assert set(Lease.objects.values_list("initiated_by", flat=True)) == {other.pk}
        assert Batch.objects.count() == 1

    def test_has_nothing_to_do_with_no_leases(self, operator: User) -> None:
        with pytest.raises(NothingToStart):
            run_many(Lease.objects.none(), operator)

        assert not Batch.objects.exists()

    def test_takes_them_as_the_list_shows_them(self, operator: User) -> None:
        leases_in(State.DONE, State.DONE, State.DONE)
        shown = Lease.objects.select_related("created_by").order_by("-lease_number")

        assert run_many(shown[:2], operator).size == 2

    def test_is_for_who_may_run_discovery(self, viewer: User) -> None:
        leases_in(State.DONE)

        with pytest.raises(TransitionForbidden):
            run_many(Lease.objects.all(), viewer)

        assert states() == [("done", False)]

    def test_needs_the_same_queries_for_many(
        self, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        imported(operator, 300)
        settle(State.DONE)

        with django_assert_max_num_queries(9):
            assert run_many(Lease.objects.all(), operator).size == 300


class TestReason:
    """Why a lease was started, as its history tells."""

    def told(self) -> list[str]:
        starts = TransitionLog.objects.filter(transition="start_search").order_by("pk")
        return list(starts.values_list("reason", flat=True))

    def test_is_the_run_that_has_owed_it(self, operator: User) -> None:
        leases_in(State.DONE)
        batch = run_many(Lease.objects.all(), operator)

        top_up(QUEUE)

        assert self.told() == [f"batch {batch.pk}: Full discovery of 1 lease"]

    def test_is_the_batch_that_ran_it_again(self, operator: User) -> None:
        batch = imported(operator, 1)
        Lease.objects.update(due_reason="")
        settle(State.FAILED)
        run_again(batch_id=batch.pk, state=State.FAILED, user=operator)

        top_up(QUEUE)

        assert self.told() == [f"batch {batch.pk}: leases.csv"]

    def test_is_what_somebody_did_by_hand_meanwhile(self, operator: User) -> None:
        imported(operator, 1)
        person_takes(runs.SEARCH, lease_id=Lease.objects.get().pk, user=operator)

        assert self.told() == ["search"]

    def test_is_not_kept_for_another_start(self, operator: User) -> None:
        imported(operator, 1)
        top_up(QUEUE)
        settle(State.DONE)
        Lease.objects.update(due_at=now())

        top_up(QUEUE)

        assert self.told()[1:] == [""]

    def test_is_what_was_mended(self, operator: User) -> None:
        leases_in(State.FAILED)
        Lease.objects.update(failure_code="configuration_missing")
        services.resume_failed(Lease.objects.all(), reason="the storage configuration of BLM was saved")

        top_up(QUEUE)

        assert self.told() == ["the storage configuration of BLM was saved"]


class TestProgressOf:
    def test_counts_the_leases_by_state_in_one_query(
        self, operator: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        leases_in(State.FAILED, State.DONE, State.DONE)
        batch = run_many(Lease.objects.all(), operator)
        first, second, _ = Lease.objects.order_by("pk")
        Lease.objects.filter(pk=first.pk).update(state=State.SEARCHING)
        Lease.objects.filter(pk=second.pk).update(due_at=None)

        with django_assert_num_queries(1):
            found = progress_of(batch)

        assert found == Progress(settled={State.DONE: 1}, under_way=1, waiting=1, stoppable=2)
        assert (found.done, found.owed, found.total) == (1, 2, 3)

    def test_counts_what_is_there(self, operator: User) -> None:
        batch = imported(operator)
        Lease.objects.all()[0].delete()

        assert progress_of(batch).total == 2

    def test_offers_to_stop_only_what_nobody_has_started_since(self, operator: User, other: User) -> None:
        first = imported(operator)
        settle(State.DONE)
        by_hand, again, _ = Lease.objects.order_by("pk")
        person_takes(runs.SEARCH, lease_id=by_hand.pk, user=other)
        later = run_many(Lease.objects.filter(pk=again.pk), other)

        assert progress_of(first) == Progress(settled={State.DONE: 1}, under_way=1, waiting=1, stoppable=0)
        assert progress_of(later).stoppable == 1


class TestStop:
    def test_owes_nothing_any_more(self, operator: User) -> None:
        batch = imported(operator)
        start_by_itself(Lease.objects.order_by("pk")[0], background=True)

        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=3, left=0)

        batch.refresh_from_db()
        assert states() == [("pending", False)] * 3
        assert (batch.stopped_by, batch.stopped_at is not None) == (operator, True)
        assert TransitionLog.objects.get(transition="cancel").actor == operator

    def test_is_done_once(self, operator: User) -> None:
        batch = imported(operator)
        stop(batch_id=batch.pk, user=operator)

        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=0, left=0)

    def test_stops_also_who_was_about_to_start_one(self, operator: User) -> None:
        batch = imported(operator, 1)
        seen = Lease.objects.get()
        stop(batch_id=batch.pk, user=operator)

        assert Lease.objects.get().generation == seen.generation + 1
        assert top_up(QUEUE).started == 0

    def test_leaves_the_rest_for_another_click_when_it_takes_too_long(self, operator: User) -> None:
        batch = imported(operator)
        start_by_itself(Lease.objects.order_by("pk")[0], background=True)

        assert stop(batch_id=batch.pk, user=operator, within_s=0) == Stopped(count=2, left=1)
        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=1, left=0)

    def test_leaves_what_somebody_else_has_started_since(self, operator: User, other: User) -> None:
        batch = imported(operator)
        settle(State.DONE)
        by_hand, again, _ = Lease.objects.order_by("pk")
        person_takes(runs.SEARCH, lease_id=by_hand.pk, user=other)
        run_many(Lease.objects.filter(pk=again.pk), other)

        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=0, left=0)

        assert states() == [("searching", True), ("done", True), ("done", False)]

    @pytest.mark.parametrize("meanwhile", ["settled", "by hand", "deleted"])
    def test_leaves_what_has_changed_since_it_looked(
        self, operator: User, monkeypatch: pytest.MonkeyPatch, meanwhile: str
    ) -> None:
        batch = imported(operator, 1)
        lease = Lease.objects.get()
        start_by_itself(lease, background=True)

        def happens(user: User) -> bool:
            leases = Lease.objects.filter(pk=lease.pk)
            if meanwhile == "settled":
                leases.update(state=State.DONE, due_at=None)
            elif meanwhile == "by hand":
                leases.update(background=False)
            else:
                leases.delete()
            return True

        # The last question that is asked before the leases that are under way are taken one by one.
        monkeypatch.setattr("statemachine.batches.stopping.Actor.person", happens)

        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=0, left=0)

        assert not TransitionLog.objects.filter(transition="cancel").exists()

    def test_is_for_who_may_run_discovery(self, operator: User, client: object) -> None:
        batch = imported(operator)

        with pytest.raises(TransitionForbidden):
            stop(batch_id=batch.pk, user=User.objects.create_user("nobody"))

        assert states() == [("pending", True)] * 3
        assert Batch.objects.get().stopped_at is None

    def test_knows_when_there_is_no_such_batch(self, operator: User) -> None:
        with pytest.raises(BatchGone):
            stop(batch_id=0, user=operator)


class TestRunAgain:
    def test_owes_the_failed_ones_a_run_of_whoever_asks(self, operator: User, other: User) -> None:
        batch = imported(other)
        settle(State.FAILED)
        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE)

        assert run_again(batch_id=batch.pk, state=State.FAILED, user=operator) == 2

        assert states() == [("done", False), ("failed", True), ("failed", True)]
        assert set(Lease.objects.filter(state=State.FAILED).values_list("initiated_by", flat=True)) == {operator.pk}

    def test_takes_up_what_was_stopped(self, operator: User) -> None:
        batch = imported(operator)
        stop(batch_id=batch.pk, user=operator)

        assert run_again(batch_id=batch.pk, state=State.PENDING, user=operator) == 3

        batch.refresh_from_db()
        assert (batch.stopped_at, batch.stopped_by) == (None, None)
        assert progress_of(batch).waiting == 3

    def test_makes_them_the_batch_s_own_again(self, operator: User, other: User) -> None:
        first = imported(operator)
        settle(State.FAILED)
        second = run_many(Lease.objects.all(), other)
        settle(State.FAILED)

        run_again(batch_id=first.pk, state=State.FAILED, user=operator)

        assert progress_of(first).stoppable == 3
        assert progress_of(second).stoppable == 0

    def test_is_done_once(self, operator: User) -> None:
        batch = imported(operator)
        settle(State.FAILED)
        run_again(batch_id=batch.pk, state=State.FAILED, user=operator)

        with pytest.raises(NothingToStart):
            run_again(batch_id=batch.pk, state=State.FAILED, user=operator)

    def test_is_for_who_may_run_discovery(self, operator: User) -> None:
        batch = imported(operator)
        settle(State.FAILED)

        with pytest.raises(TransitionForbidden):
            run_again(batch_id=batch.pk, state=State.FAILED, user=User.objects.create_user("nobody"))

        assert states() == [("failed", False)] * 3

    def test_knows_when_there_is_no_such_batch(self, operator: User) -> None:
        with pytest.raises(BatchGone):
            run_again(batch_id=0, state=State.FAILED, user=operator)
