"""An archive that is missing, from the wish to the answer; and what lies beside archives, in the same runs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud.models import CloudLocation, DropboxAccount
from leases import making, runs
from leases.models import AgencyStorageConfig, Batch, Lease
from leases.services import owe_runs
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from storage.models import StoredFile
from tests.factories import indexed, settled, watched
from tests.flows.conftest import ARCHIVE, BLM, NUMBER, Work, history
from tests.flows.test_many_from_the_index import imported

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

MAKE, LIST = "files/create_folder_v2", "files/list_folder"
DOCUMENTS, INDEX = "/Documents", "/Index"


@pytest.fixture(autouse=True)
def _writes(settings: Settings) -> None:
    settings.DROPBOX_MAKES_ARCHIVES = True


@pytest.fixture
def absent(operator: User, run: Callable[..., Lease]) -> Lease:
    """A lease whose archive was not found."""
    lease = run(settled(operator, lease_number=NUMBER), operator)
    assert lease.state == "not_found"
    return lease


def made(dropbox: "Standin", below: str = BLM) -> list[str]:
    return sorted(path for path in dropbox.tree() if path.startswith(f"{below}/") and path != f"{below}/")


class TestByHand:
    def test_is_made_searched_and_read(
        self, absent: Lease, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        making.make_archive(record_id=absent.pk, user=operator, generation=absent.generation)
        work_until_settled()

        lease = Lease.objects.get()
        assert made(dropbox) == [f"{ARCHIVE}/", f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/^Document Archive/"]
        assert (lease.state, lease.makes_archive, lease.runsheet_report_found) == ("done", False, False)
        assert [each for each, _ in history(lease)][-4:] == [
            "make_archive", "record_found", "start_detection", "record_detection",
        ]  # fmt: skip
        told = TransitionLog.objects.of(lease).filter(transition="record_found").get().evidence
        assert (told["made"][0], told["made_for"]) == (ARCHIVE, "olivia")

    def test_ends_with_the_same_where_its_worker_lost_dropbox_on_the_way(
        self, absent: Lease, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.fault(MAKE, kind="close", path=f"{ARCHIVE}/Runsheets")

        making.make_archive(record_id=absent.pk, user=operator, generation=absent.generation)
        work_until_settled()

        assert Lease.objects.get().state == "done"
        assert made(dropbox) == [f"{ARCHIVE}/", f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/^Document Archive/"]

    def test_that_is_refused_stays_not_found_and_says_why(
        self, absent: Lease, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        making.make_archive(record_id=absent.pk, user=operator, generation=absent.generation)
        DropboxAccount.objects.update(scopes=["files.metadata.read"])  # connected anew meanwhile
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.makes_archive) == ("not_found", False)
        last = TransitionLog.objects.of(lease).latest("generation")
        assert "allow it to write" in last.evidence["not_made"]
        assert made(dropbox) == []


class TestMany:
    def test_are_made_though_the_index_answers_that_nothing_is_there(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        watched(DropboxAccount.objects.get())
        numbers = ["NMNM 1000", "B0-2345-6"]
        for number in numbers:
            settled(operator, lease_number=number, state="not_found")

        making.make_archives(Lease.objects.all(), operator, which="")
        reconcile()
        work_until_settled()

        assert Batch.objects.get().size == 2
        assert set(Lease.objects.values_list("state", flat=True)) == {"done"}
        assert {f"{BLM}/{number}/" for number in numbers} <= set(dropbox.tree())

    def test_whose_numbers_are_alike_are_not_both_made(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        for number in ("NMNM 55142", "NMNM 0055142"):
            settled(operator, lease_number=number, state="not_found")

        making.make_archives(Lease.objects.all(), operator, which="")
        reconcile()
        work_until_settled()

        assert sorted(Lease.objects.values_list("state", flat=True)) == ["done", "not_found"]
        assert len([path for path in made(dropbox) if path.count("/") == BLM.count("/") + 2]) == 1

    def test_of_an_agency_that_wants_it_are_made_by_themselves(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        AgencyStorageConfig.objects.update(makes_archives=True)
        indexed(watched(DropboxAccount.objects.get()), {"NMNM 7": []})

        imported(operator, ["NMNM 7", "B0-2345-6"])
        reconcile()
        work_until_settled()

        assert set(Lease.objects.values_list("state", flat=True)) == {"done"}
        # What the index knows to be there is not touched.
        assert {path.removeprefix(f"{BLM}/").partition("/")[0] for path in made(dropbox)} == {"B0-2345-6"}

    def test_are_answered_by_the_index_where_nothing_may_be_made(
        self, operator: User, dropbox: "Standin", work_until_settled: Work, settings: Settings
    ) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = False
        AgencyStorageConfig.objects.update(makes_archives=True)
        watched(DropboxAccount.objects.get())
        dropbox.clear_journal()

        imported(operator, ["NMNM 7", "B0-2345-6"])
        reconcile()
        work_until_settled()

        assert set(Lease.objects.values_list("state", flat=True)) == {"not_found"}
        assert dropbox.calls() == {}


class TestBeside:
    @pytest.fixture(autouse=True)
    def _own_folders(self, operator: User, dropbox: "Standin") -> None:
        AgencyStorageConfig.objects.update(documents_base_path=DOCUMENTS, misc_index_base_path=INDEX)
        dropbox.put(f"{DOCUMENTS}/{NUMBER}/", f"{INDEX}/")

    def test_is_looked_for_whatever_was_answered_of_the_archive(self, absent: Lease) -> None:
        assert (absent.documents_state, absent.misc_index_state) == ("found", "not_found")
        assert absent.documents_directory is not None
        assert absent.documents_directory.path == f"{DOCUMENTS}/{NUMBER}"

    def test_never_fails_the_answer_of_the_archive(
        self, operator: User, dropbox: "Standin", run: Callable[..., Lease]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.fault("files/get_metadata", status=503, path=f"{DOCUMENTS}/*", times=9)

        lease = run(settled(operator, lease_number=NUMBER), operator)

        assert (lease.state, lease.failure_code, lease.documents_state) == ("done", "", "unseen")

    def test_is_told_by_the_index_for_many_without_a_call(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        account = DropboxAccount.objects.get()
        indexed(watched(account), {"NMNM 7": [], "NMNM 8": []})
        indexed(watched(account, DOCUMENTS), {"NMNM 7": []})
        dropbox.clear_journal()

        imported(operator, ["NMNM 7", "NMNM 8"])
        reconcile()
        work_until_settled()

        told = Lease.objects.order_by("lease_number").values_list("state", "documents_state", "misc_index_state")
        assert list(told) == [("done", "found", "unknown"), ("done", "not_found", "unknown")]
        assert CloudLocation.objects.filter(path=f"{DOCUMENTS}/NMNM 7").exists()
        assert dropbox.calls() == {}

    def test_that_is_gone_from_the_index_is_asked_for_at_dropbox(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        account = DropboxAccount.objects.get()
        dropbox.put(f"{ARCHIVE}/", f"{BLM}/NMNM 8/")
        indexed(watched(account), {NUMBER: [], "NMNM 8": []})
        seen = watched(account, DOCUMENTS)
        indexed(seen, {NUMBER: [], "NMNM 8": []})
        imported(operator, [NUMBER, "NMNM 8"])
        reconcile()
        work_until_settled()
        dropbox.delete(f"{DOCUMENTS}/{NUMBER}")
        StoredFile.objects.filter(root=seen.root).update(state="missing")
        dropbox.put(f"{DOCUMENTS}/NMNM 8/")
        dropbox.clear_journal()

        owe_runs(leases=dict(Lease.objects.values_list("pk", "generation")), reason="the document archive is gone")
        reconcile()
        work_until_settled()

        # The index may be wrong; Dropbox is believed.
        told = dict(Lease.objects.values_list("lease_number", "documents_state"))
        assert told == {NUMBER: "not_found", "NMNM 8": "found"}
        assert set(Lease.objects.values_list("state", flat=True)) == {"done"}
        assert dropbox.calls()["files/get_metadata"] >= 2

    def test_is_forgotten_with_the_number_that_it_belongs_to(
        self, absent: Lease, operator: User, run: Callable[..., Lease]
    ) -> None:
        Lease.objects.update(lease_number="NMNM 9")
        lease = run(Lease.objects.get(), operator, runs.SEARCH)

        assert (lease.documents_state, lease.documents_directory) == ("not_found", None)
