"""Many leases are answered together from what is known of their folder; what the index may not say, Dropbox is asked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from redis import Redis

from cloud.models import CloudLocation, DropboxAccount
from discovery.models import ArchiveWatch
from leases import services
from leases.batches import import_leases
from leases.models import AgencyStorageConfig, Lease
from statemachine.claims import message_of
from statemachine.jobs import run as run_job
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.factories import indexed, watched
from tests.flows.conftest import BLM, FULL_RUN, Work, history

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

MANY = [f"NMNM {each}" for each in range(1, 13)]


@pytest.fixture
def account(operator: User) -> DropboxAccount:
    return DropboxAccount.objects.get(user=operator)


@pytest.fixture
def watch(account: DropboxAccount, redis: Redis, dropbox: "Standin") -> ArchiveWatch:
    """What the index says lies in Dropbox no more, so that who asks there hears something else."""
    places = [f"{BLM}/{number}" for number in MANY]
    dropbox.put(*(f"{place}/" for place in places))
    dropbox.delete(*places)
    made = watched(account)
    indexed(made, {number: ["Master Documents.pdf", "Runsheets/"] for number in MANY})
    return made


def imported(user: User, numbers: Sequence[str] = MANY) -> list[Lease]:
    import_leases(leases=[("BLM", number) for number in numbers], user=user, title="many.csv")
    return list(Lease.objects.filter(lease_number__in=numbers).order_by("pk"))


def ring_for(lease: Lease) -> Any:
    """What a worker does for the message about this lease."""
    message = message_of(Lease.objects.get(pk=lease.pk))
    return run_job(message.label, message.pk, message.state, message.generation)


def begun(lease: Lease) -> Lease:
    """One that is owed its search, and others are owed their start."""
    reconcile()
    return Lease.objects.get(pk=lease.pk)


def running(watch: ArchiveWatch) -> IndexRun:
    """A run that changes the index."""
    return IndexRun.objects.create(root=watch.root, mode="sync", state="planning", due_at=Now())


def evidence_of(lease: Lease, transition: str) -> dict[str, Any]:
    found: dict[str, Any] = TransitionLog.objects.of(lease).filter(transition=transition).latest("generation").evidence
    return found


class TestManyLeases:
    def test_are_answered_without_a_call(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.clear_journal()
        leases = imported(operator, [*MANY, "NMNM 99"])

        reconcile()
        work_until_settled()

        assert not dropbox.journal()
        assert set(Lease.objects.exclude(lease_number="NMNM 99").values_list("state", "matching_files__0")) == {
            ("done", "Master Documents.pdf")
        }
        absent = Lease.objects.get(lease_number="NMNM 99")
        assert (absent.state, absent.runsheet_directory, absent.known_account) == ("not_found", None, watch.account_id)
        assert history(leases[0]) == FULL_RUN

    def test_that_have_none_are_told_what_comes_near(
        self, operator: User, watch: ArchiveWatch, work_until_settled: Work
    ) -> None:
        """The names of all archives are read once for all of them, and so is what lies in those that come near."""
        indexed(watch, {"NMNM 0501759": ["Master Documents.pdf"], "NMNM 0507159": []})
        leases = imported(operator, ["NMNM 501759", "NMNM 051759", *(f"NMNM 99999{n:02}" for n in range(30))])

        reconcile()
        with CaptureQueriesContext(connection) as queries:
            work_until_settled()

        found = evidence_of(leases[0], "record_not_found")
        assert found["nearest"] == ["NMNM 0501759", "NMNM 0507159"]
        assert found["nearest_reports"] == {"NMNM 0501759": True, "NMNM 0507159": False}
        assert evidence_of(leases[-1], "record_not_found")["nearest"] == []
        assert sum(query["sql"].startswith("WITH RECURSIVE entry", 1) for query in queries) <= 1

    def test_are_told_whose_index_answered_and_of_what_time(
        self, operator: User, watch: ArchiveWatch, work_until_settled: Work
    ) -> None:
        lease = imported(operator)[0]

        reconcile()
        work_until_settled()

        found, looked = evidence_of(lease, "record_found"), evidence_of(lease, "record_detection")
        assert watch.root.read_at is not None
        told = {
            "answer": "index",
            "account": watch.account_id,
            "path": f"{BLM}/NMNM 1",
            "read_at": watch.root.read_at.isoformat(),
            "folder_id": "id:NMNM_1",
        }
        assert found.items() >= told.items()
        assert looked.items() >= (told | {"matching": ["Master Documents.pdf"]}).items()
        lease = Lease.objects.get(pk=lease.pk)
        assert lease.origin.folder_id == lease.report_folder_id == "id:NMNM_1"

    def test_have_archives_to_which_no_link_was_made_yet(
        self, operator: User, watch: ArchiveWatch, work_until_settled: Work
    ) -> None:
        gone = CloudLocation.objects.create(path=f"{BLM}/nmnm 2", name="nmnm 2", share_checked_at=Now())
        linked = CloudLocation.objects.create(
            path=f"{BLM}/NMNM 3", name="NMNM 3", share_url="https://a/3", file_id="id:NMNM_3", share_checked_at=Now()
        )
        another = CloudLocation.objects.create(
            path=f"{BLM}/NMNM 4", name="NMNM 4", share_url="https://a/4", file_id="id:else", share_checked_at=Now()
        )
        imported(operator)

        reconcile()
        work_until_settled()

        places = CloudLocation.objects.in_bulk([gone.pk, linked.pk, another.pk])
        assert [(places[each.pk].share_url, places[each.pk].is_gone) for each in (gone, linked, another)] == [
            ("", False),
            ("https://a/3", False),
            ("", False),
        ]
        assert Lease.objects.get(lease_number="NMNM 2").runsheet_directory == gone
        assert CloudLocation.objects.count() == len(MANY)

    def test_take_as_many_statements_however_many_they_are(
        self, operator: User, watch: ArchiveWatch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("statemachine.jobs.top_up", lambda _queue: None)
        leases = imported(operator)
        costs = []
        for some in (leases[:1], leases[1:4], leases[4:]):
            Lease.objects.exclude(pk__in=[each.pk for each in some]).update(due_at=None)
            Lease.objects.filter(pk__in=[each.pk for each in some]).update(due_at=Now())
            first = begun(some[0])
            with CaptureQueriesContext(connection) as asked:
                assert ring_for(first) == "done"
            costs.append(len(asked))

        assert not Lease.objects.exclude(state="done").exists()
        assert costs[1] == costs[2]

    def test_of_which_one_is_started_by_hand_ask_dropbox_for_that_one(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/scan.pdf")
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.runsheet_report_found, lease.runsheet_link != "") == ("done", False, True)

    def test_that_are_only_searched_stop_at_found(
        self, operator: User, watch: ArchiveWatch, work_until_settled: Work
    ) -> None:
        imported(operator)
        Lease.objects.update(follow_through=False)

        reconcile()
        work_until_settled()

        assert set(Lease.objects.values_list("state", flat=True)) == {"found"}

    def test_that_are_only_read_again_are_read_in_the_index(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        imported(operator)
        reconcile()
        work_until_settled()
        StoredFile.objects.filter(key="nmnm 1/master documents.pdf").update(name="Map.pdf", key="nmnm 1/map.pdf")
        Lease.objects.update(state="detecting", due_at=Now(), background=True)
        dropbox.clear_journal()

        reconcile()
        work_until_settled()

        assert not dropbox.journal()
        assert list(Lease.objects.filter(runsheet_report_found=False).values_list("lease_number", "state")) == [
            ("NMNM 1", "done")
        ]


class TestDropboxIsAsked:
    """Though there is an index."""

    @pytest.fixture
    def asked(self, dropbox: "Standin", work_until_settled: Work) -> Any:
        """Whether Dropbox was asked for the lease of the archive NMNM 1."""

        def run() -> bool:
            dropbox.clear_journal()
            reconcile()
            work_until_settled()
            return any(call.route == "files/list_folder" for call in dropbox.journal())

        return run

    @pytest.mark.parametrize(
        "change",
        [
            {"read_at": None},
            {"read_at": Now() - timedelta(minutes=7)},
        ],
        ids=["never read", "too old"],
    )
    def test_where_it_is_not_fresh(
        self, operator: User, watch: ArchiveWatch, asked: Any, change: dict[str, Any]
    ) -> None:
        StorageRoot.objects.update(**change)
        imported(operator, ["NMNM 1"])

        assert asked()

    def test_where_the_watch_is_switched_off(self, operator: User, watch: ArchiveWatch, asked: Any) -> None:
        AgencyStorageConfig.objects.update(watched=False)
        imported(operator, ["NMNM 1"])

        assert asked()

    def test_after_a_notification(self, operator: User, watch: ArchiveWatch, asked: Any) -> None:
        DropboxAccount.objects.update(changed_at=Now())
        imported(operator, ["NMNM 1"])

        assert asked()

    def test_by_somebody_elses_account(self, watch: ArchiveWatch, colleague: Any, asked: Any) -> None:
        imported(colleague("ivan"), ["NMNM 1"])

        assert asked()

    def test_where_the_account_sees_only_a_part(self, operator: User, account: DropboxAccount, asked: Any) -> None:
        indexed(watched(account), {"NMNM 1": []}, partial=True)
        imported(operator, ["NMNM 1"])

        assert asked()

    def test_where_a_file_has_the_name(self, operator: User, watch: ArchiveWatch, asked: Any) -> None:
        StoredFile.objects.filter(key="nmnm 1/").update(key="nmnm 1", is_directory=False)
        imported(operator, ["NMNM 1"])

        assert asked()

    def test_where_the_absent_name_may_be_compared_otherwise(
        self, operator: User, watch: ArchiveWatch, asked: Any
    ) -> None:
        imported(operator, ["NMNM é"])

        assert asked()

    def test_before_what_was_found_is_gone(
        self, operator: User, watch: ArchiveWatch, asked: Any, dropbox: "Standin"
    ) -> None:
        imported(operator, ["NMNM 1"])
        asked()
        StoredFile.objects.filter(key__startswith="nmnm 1/").delete()
        dropbox.put(f"{BLM}/NMNM 1/scan.pdf")
        Lease.objects.update(state="pending", due_at=Now(), due_reason="again", background=True)

        assert asked()
        assert Lease.objects.get().state == "done"

    def test_before_another_folder_is_taken_for_what_somebody_else_has_found(
        self, operator: User, watch: ArchiveWatch, asked: Any
    ) -> None:
        imported(operator, ["NMNM 1"])
        Lease.objects.update(
            runsheet_directory=CloudLocation.objects.create(path=f"{BLM}/NMNM 1", name="NMNM 1"),
            known_account="dbid:another",
            known_root="another",
            known_folder_id="id:another",
            known_base_path=BLM,
        )

        assert asked()

    def test_for_those_alone_that_the_index_may_not_answer(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", asked: Any
    ) -> None:
        row = StoredFile.objects.get(key="nmnm 7/")
        StoredFile.objects.filter(pk=row.pk).update(etag=f"{row.etag} partial")
        dropbox.put(f"{BLM}/NMNM 7/scan.pdf")
        imported(operator)

        assert asked()
        assert list(Lease.objects.filter(runsheet_report_found=False).values_list("lease_number", "state")) == [
            ("NMNM 7", "done")
        ]
        assert [call.route for call in dropbox.journal()].count("files/list_folder") == 1

    def test_where_nobody_may_lend_it(self, operator: User, watch: ArchiveWatch, work_until_settled: Work) -> None:
        imported(operator)
        User.objects.filter(pk=operator.pk).update(is_active=False)

        reconcile()
        work_until_settled()

        assert set(Lease.objects.values_list("state", "failure_code")) == {("failed", "no_user")}
