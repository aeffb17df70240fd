from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.base.clock import now
from core.base.errors import Refused
from leases import services
from leases.errors import DuplicateLease, InvalidLease
from leases.models import Lease
from leases.states import State
from statemachine.errors import RecordGone
from statemachine.models import TransitionLog
from tests.factories import known_directory, settled
from tests.leases.starting import start_by_itself

pytestmark = pytest.mark.django_db


def history(lease: Lease) -> list[tuple[str, str]]:
    return list(TransitionLog.objects.of(lease).values_list("transition", "to_state"))


class TestCreateLease:
    def test_starts_it_by_itself(
        self, olivia: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        lease = Lease.objects.get()
        assert (lease.state, lease.initiated_by, lease.created_by, lease.updated_by) == (
            "searching", olivia, olivia, olivia,
        )  # fmt: skip
        assert lease.follow_through
        assert lease.rung_at is not None
        assert history(lease) == [("start_search", "searching")]

    def test_can_be_told_to_stop_at_found(self, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="1", created_by=olivia, follow_through=False)

        assert not lease.follow_through

    def test_keeps_one_spelling_of_the_same_text(self, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="cafe\u0301", created_by=olivia)

        assert lease.lease_number == "caf\u00e9"

    def test_refuses_what_somebody_else_saved_between_its_look_and_its_save(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        monkeypatch.setattr(services, "_check", lambda _lease: None)

        with pytest.raises(DuplicateLease):
            services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        assert Lease.objects.count() == 1

    def test_refuses_a_duplicate_in_another_case(self, olivia: User) -> None:
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        with pytest.raises(DuplicateLease, match="BLM already has a lease nmnm 1"):
            services.create_lease(agency="BLM", lease_number="nmnm 1", created_by=olivia)

        assert Lease.objects.count() == 1

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"lease_number": "a/b"}, "must not contain “/”"),
            ({"lease_number": "a\\b"}, "must not contain"),
            ({"lease_number": "a\x00b"}, "control characters"),
            ({"lease_number": "N" * 300}, "at most 100 characters"),
            ({"lease_number": ""}, "cannot be blank"),
            ({"agency": "NASA"}, "not a valid choice"),
            ({"agency": ""}, "cannot be blank"),
        ],
    )
    def test_refuses_bad_input_with_a_sentence(self, olivia: User, values: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InvalidLease, match=sentence) as refused:
            services.create_lease(**{"agency": "BLM", "lease_number": "1", "created_by": olivia, **values})

        assert str(refused.value).count(".") == 1, "one sentence"
        assert not Lease.objects.exists()
        assert not TransitionLog.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTwoPeopleCreateTheSameLease:
    def test_one_is_told(self, olivia: User) -> None:
        barrier = Barrier(2)

        def create(number: str) -> Lease | Refused:
            barrier.wait()
            try:
                return services.create_lease(agency="BLM", lease_number=number, created_by=olivia)
            except Refused as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(create, ["NMNM 1", "nmnm 1"]))

        assert sorted(type(each).__name__ for each in results) == ["DuplicateLease", "Lease"]
        assert Lease.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestTwoPeopleGiveTwoLeasesTheSameNumber:
    def test_one_is_told(self, olivia: User) -> None:
        leases = [settled(olivia, lease_number=f"old {each}") for each in range(4)]
        barrier = Barrier(len(leases))

        def change(lease: Lease) -> Lease | Refused:
            barrier.wait()
            try:
                return services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="new", changed_by=olivia)
            except Refused as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(leases)) as pool:
            results = list(pool.map(change, leases))

        assert sorted(type(each).__name__ for each in results) == [*["DuplicateLease"] * 3, "Lease"]
        assert Lease.objects.filter(lease_number="new").count() == 1


class TestChangeLease:
    def test_searches_again_and_forgets_the_old_result(self, olivia: User) -> None:
        lease = settled(olivia, state="done", runsheet_directory=known_directory(), runsheet_report_found=True)

        services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="NMNM 2", changed_by=olivia)

        lease = Lease.objects.get()
        assert (lease.lease_number, lease.state, lease.runsheet_directory) == ("NMNM 2", "searching", None)
        assert (lease.runsheet_report_found, lease.matching_files) == (False, [])
        assert TransitionLog.objects.get().reason == "changed from BLM NMNM 1"

    def test_stops_a_run_under_way_first(self, olivia: User) -> None:
        lease = settled(olivia, state="searching", due_at="2026-01-01T00:00Z", generation=5)

        services.change_lease(lease_id=lease.pk, agency="NMSLO", lease_number="B0-1", changed_by=olivia)

        assert history(lease) == [("cancel", "pending"), ("start_search", "searching")]
        assert Lease.objects.get().generation == 7

    def test_does_nothing_when_nothing_differs(self, olivia: User) -> None:
        lease = settled(olivia, state="not_found")

        services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="NMNM 1", changed_by=olivia)

        assert Lease.objects.get().state == "not_found"

    def test_a_change_of_case_alone_is_kept(self, olivia: User) -> None:
        lease = settled(olivia)

        services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="nmnm 1", changed_by=olivia)

        assert Lease.objects.get().lease_number == "nmnm 1"

    def test_refuses_a_duplicate(self, olivia: User) -> None:
        settled(olivia, lease_number="2")
        lease = settled(olivia, lease_number="1", state="not_found")

        with pytest.raises(DuplicateLease):
            services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="2", changed_by=olivia)

        lease = Lease.objects.get(pk=lease.pk)
        assert (lease.lease_number, lease.state) == ("1", "not_found")

    def test_refuses_a_duplicate_that_somebody_saves_after_the_check(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(olivia, lease_number="2")
        lease = settled(olivia, lease_number="1", state="not_found")
        monkeypatch.setattr(services, "_check", lambda _lease: None)

        with pytest.raises(DuplicateLease):
            services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="2", changed_by=olivia)

        assert Lease.objects.get(pk=lease.pk).lease_number == "1"

    def test_refuses_bad_input(self, olivia: User) -> None:
        lease = settled(olivia)

        with pytest.raises(InvalidLease):
            services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="../x", changed_by=olivia)

        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_says_that_the_lease_is_gone(self, olivia: User) -> None:
        with pytest.raises(RecordGone):
            services.change_lease(lease_id=0, agency="BLM", lease_number="1", changed_by=olivia)


class TestStartTransition:
    def test_uses_the_creators_authorisation_when_nobody_else_is_named(self, olivia: User) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number="1", created_by=olivia)

        start_by_itself(lease)

        assert Lease.objects.get().initiated_by == olivia


class TestOweRuns:
    def lease(self, user: User, number: str = "NMNM 1", **values: Any) -> Lease:
        return settled(user, lease_number=number, **{"state": State.NOT_FOUND, **values})

    def owe(self, *leases: Lease) -> set[int]:
        return services.owe_runs(leases={each.pk: each.generation for each in leases}, reason="an archive appeared")

    def test_says_why_and_waits_behind_what_is_started_by_hand(self, olivia: User) -> None:
        first, second = self.lease(olivia, background=False), self.lease(olivia, "NMNM 2")

        assert self.owe(first, second) == {first.pk, second.pk}

        first, second = Lease.objects.order_by("lease_number")
        for lease in (first, second):
            assert (lease.is_owed, lease.due_reason, lease.background) == (True, "an archive appeared", True)
        assert first.turn < second.turn

    @pytest.mark.parametrize(
        "values",
        [
            {"state": State.PENDING, "generation": 3},
            {"due_at": now(), "due_reason": "mine"},
            {"state": State.SEARCHING, "due_at": now()},
            {"claimed_until": now()},
        ],
    )
    def test_leaves_alone_what_is_stopped_owed_or_at_work(self, olivia: User, values: dict[str, Any]) -> None:
        lease = self.lease(olivia, **values)

        assert self.owe(lease) == set()

        assert Lease.objects.get().due_reason == values.get("due_reason", "")

    def test_leaves_alone_what_has_moved_on(self, olivia: User) -> None:
        lease = self.lease(olivia)
        Lease.objects.update(generation=7)

        assert self.owe(lease) == set()

    def test_looks_again_for_a_report_where_one_was_looked_for(self, olivia: User) -> None:
        at = {"runsheet_directory": known_directory(), "follow_through": False}
        done, found = (
            self.lease(olivia, number, state=state, **at)
            for number, state in (("NMNM 1", State.DONE), ("NMNM 2", State.FOUND))
        )

        self.owe(done, found)

        assert dict(Lease.objects.values_list("pk", "follow_through")) == {done.pk: True, found.pk: False}

    def test_does_nothing_with_nothing(self) -> None:
        assert services.owe_runs(leases={}, reason="") == set()
