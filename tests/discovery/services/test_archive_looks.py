"""What changes in Dropbox, what runs of the index that leads to, and which leases are owed a run then."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
import requests
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services import archive_looks
from discovery.services.archive_index import index_of
from discovery.services.archive_lister import EACH
from discovery.services.archive_news import ADDED, ANEW, APPEARED, GONE, TAKEN
from leases.models import AgencyStorageConfig, Lease
from leases.states import State
from statemachine.models import TransitionLog
from storage.errors import RootBusy
from storage.models import IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.cloud.dropbox.conftest import LIST, MORE, union
from tests.discovery.watching import absent, attend, done, owed, runs, told, watch, work
from tests.factories import ARCHIVE, BLM, NUMBER, configured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

REPORT = "Master Documents.pdf"
FRESH = ("done", False)
DELTA = ("done", True)


@pytest.fixture
def watched_archives(operator: User, dropbox: "Standin") -> User:
    """An archive with a report and one without, read for the first time; no lease knows of them yet."""
    configured()
    dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 2/")
    absent(operator, "NMNM 9")
    attend()
    dropbox.clear_journal()
    return operator


def later(by: timedelta) -> None:
    """So much time has passed since whatever happened to the watches and their runs."""
    ArchiveWatch.objects.update(looked_at=F("looked_at") - by)
    IndexRun.objects.update(entered_at=F("entered_at") - by)
    ArchiveWatch.objects.filter(resting_until__isnull=False).update(resting_until=F("resting_until") - by)
    StorageRoot.objects.filter(read_at__isnull=False).update(read_at=F("read_at") - by)


def rest() -> timedelta:
    """How long the watch is left alone from now on, by the database's clock."""
    left: timedelta = (
        ArchiveWatch.objects.annotate(left=F("resting_until") - Now()).values_list("left", flat=True).get()
    )
    return left


def fresh() -> bool:
    found = index_of(account=DropboxAccount.objects.get(), base_path=BLM, poll_minutes=5)
    return found is not None and found.is_fresh


class TestFirstScan:
    def test_reads_all_that_lies_there(self, watched_archives: User) -> None:
        assert runs() == [FRESH]
        assert set(StoredFile.objects.values_list("key", flat=True)) == {
            f"{NUMBER.lower()}/",
            f"{NUMBER.lower()}/{REPORT.lower()}",
            "nmnm 2/",
        }
        assert fresh()
        assert owed() == {}

    def test_says_why_in_its_history(self, watched_archives: User) -> None:
        begun = TransitionLog.objects.of(IndexRun.objects.get()).first()

        assert begun
        assert begun.reason == "nothing is known of it yet"

    def test_is_not_begun_anew_while_it_is_under_way(self, operator: User) -> None:
        configured()
        absent(operator)

        archive_looks.look_after_all()
        archive_looks.look_after_all()

        assert len(runs()) == 1

    def test_owes_a_run_to_leases_that_know_it_otherwise(self, operator: User, dropbox: "Standin") -> None:
        configured()
        dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 2/", f"{BLM}/NMNM 3/{REPORT}", f"{BLM}/NMNM 4/{REPORT}")
        absent(operator)
        done(operator, "NMNM 2", reports=[REPORT])
        done(operator, "NMNM 3")
        done(operator, "NMNM 4", reports=[REPORT])
        done(operator, "NMNM 5")
        absent(operator, "NMNM 6")

        attend()

        assert owed() == {NUMBER: APPEARED, "NMNM 2": TAKEN, "NMNM 3": ADDED, "NMNM 5": GONE}

    def test_that_found_no_folder_is_begun_again_after_an_hour(self, operator: User, dropbox: "Standin") -> None:
        configured(base="/elsewhere")
        absent(operator, known_base_path="/elsewhere")

        attend()
        attend()
        assert runs() == [("refused", False)]
        later(timedelta(hours=1, minutes=1))
        attend()

        assert runs() == [("refused", False)] * 2


class TestPoll:
    def test_asks_nothing_before_its_period_is_over(self, watched_archives: User, dropbox: "Standin") -> None:
        attend()

        assert dropbox.calls() == {}

    def test_takes_one_call_where_nothing_has_changed(self, watched_archives: User, dropbox: "Standin") -> None:
        later(timedelta(minutes=10))
        assert not fresh()

        attend()

        assert dropbox.calls() == {MORE: 1}
        assert runs() == [FRESH]
        assert fresh()

    def test_notices_an_archive_that_appears(self, watched_archives: User, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/NMNM 9/")
        later(timedelta(minutes=5))

        attend()

        assert runs() == [FRESH, DELTA]
        assert owed() == {"NMNM 9": APPEARED}

    def test_is_as_long_as_the_agency_says(self, watched_archives: User, dropbox: "Standin") -> None:
        AgencyStorageConfig.objects.update(poll_minutes=60)
        later(timedelta(minutes=59))

        attend()
        assert dropbox.calls() == {}
        later(timedelta(minutes=1))
        attend()

        assert dropbox.calls() == {MORE: 1}

    def test_is_none_where_the_agency_is_not_watched(self, watched_archives: User, dropbox: "Standin") -> None:
        AgencyStorageConfig.objects.update(watched=False)
        later(timedelta(hours=2))

        attend()

        assert dropbox.calls() == {}
        assert not fresh()


class TestNotification:
    def test_is_followed_by_one_question(self, watched_archives: User, dropbox: "Standin") -> None:
        told()
        assert not fresh()

        attend()
        attend()

        assert dropbox.calls() == {MORE: 1}
        assert fresh()

    def test_of_another_account_asks_nothing(self, watched_archives: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.create(
            user=User.objects.create_user("paul"), account_id="dbid:p", connected_at=Now(), changed_at=Now()
        )

        attend()

        assert dropbox.calls() == {}

    def test_leads_to_a_run_that_says_what_has_changed(self, watched_archives: User, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/NMNM 9/")
        told()

        attend()

        begun = TransitionLog.objects.of(IndexRun.objects.latest("pk")).first()
        assert begun
        assert begun.reason == "1 entry has changed: “NMNM 9”"
        assert fresh()


class TestEvents:
    def test_an_archive_and_its_report_at_once_are_one_run(self, watched_archives: User, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}", f"{BLM}/NMNM 9/other.pdf")
        told()

        attend()
        attend()

        assert owed() == {"NMNM 9": APPEARED}
        assert runs() == [FRESH, DELTA]

    def test_a_report_is_added(self, watched_archives: User, dropbox: "Standin") -> None:
        done(watched_archives, "NMNM 2")
        done(watched_archives, reports=[REPORT])
        dropbox.put(f"{BLM}/NMNM 2/{REPORT}")
        told()

        attend()

        assert owed() == {"NMNM 2": ADDED}

    def test_a_report_is_taken_away(self, watched_archives: User, dropbox: "Standin") -> None:
        done(watched_archives, reports=[REPORT])
        dropbox.delete(f"{ARCHIVE}/{REPORT}")
        told()

        attend()

        assert owed() == {NUMBER: TAKEN}

    def test_what_is_no_report_concerns_no_lease(self, watched_archives: User, dropbox: "Standin") -> None:
        done(watched_archives, reports=[REPORT])
        dropbox.put(f"{ARCHIVE}/scan.pdf", f"{ARCHIVE}/Runsheets/{REPORT}")
        told()

        attend()

        assert runs() == [FRESH, DELTA]
        assert owed() == {}

    def test_an_archive_is_deleted(self, watched_archives: User, dropbox: "Standin") -> None:
        done(watched_archives, reports=[REPORT])
        done(watched_archives, "NMNM 2")
        dropbox.delete(ARCHIVE)
        told()

        attend()

        assert owed() == {NUMBER: GONE}

    def test_an_archive_is_renamed(self, watched_archives: User, dropbox: "Standin") -> None:
        """The one that it was, and the one that it is."""
        done(watched_archives, reports=[REPORT])
        _move(dropbox, ARCHIVE, f"{BLM}/NMNM 9")
        told()

        attend()

        assert owed() == {NUMBER: GONE, "NMNM 9": APPEARED}

    def test_an_archive_is_made_anew(self, watched_archives: User, dropbox: "Standin") -> None:
        key = f"{NUMBER.lower()}/"
        folder_id = StoredFile.objects.get(key=key).etag.split()[0]
        done(watched_archives, reports=[REPORT], known_folder_id=folder_id, report_folder_id=folder_id)
        dropbox.delete(ARCHIVE)
        dropbox.put(f"{ARCHIVE}/{REPORT}")
        told()

        attend()

        assert owed() == {NUMBER: ANEW}

    def test_another_persons_leases_are_left_alone(self, watched_archives: User, dropbox: "Standin") -> None:
        paul = User.objects.create_superuser("paul")
        Lease.objects.filter(lease_number="NMNM 9").update(initiated_by=paul)
        dropbox.put(f"{BLM}/NMNM 9/")
        told()

        attend()

        assert owed() == {}

    def test_what_somebody_has_stopped_is_not_started(self, watched_archives: User, dropbox: "Standin") -> None:
        Lease.objects.update(state=State.PENDING, generation=4)
        dropbox.put(f"{BLM}/NMNM 9/")
        told()

        attend()

        assert owed() == {}

    def test_a_lost_place_leads_to_a_whole_run(self, watched_archives: User, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/NMNM 9/")
        dropbox.reset_cursors()
        told()

        attend()

        assert runs() == [FRESH, FRESH]
        assert owed() == {"NMNM 9": APPEARED}
        assert fresh()


class TestOtherFolders:
    """The document archive and the miscellaneous index are watched as the archives are."""

    DOCUMENTS = "/Federal Workspace/^Document Archive"

    @pytest.fixture
    def both(self, operator: User, dropbox: "Standin") -> User:
        configured(documents_base_path=self.DOCUMENTS)
        dropbox.put(f"{BLM}/NMNM 1/", f"{self.DOCUMENTS}/NMNM 2/")
        absent(operator, "NMNM 9")
        attend()
        dropbox.clear_journal()
        return operator

    def test_are_read_each_as_a_root_of_its_own(self, both: User) -> None:
        assert runs() == [FRESH, FRESH]
        assert sorted(StoredFile.objects.values_list("root__archive_watch__base_path", "key")) == [
            (self.DOCUMENTS, "nmnm 2/"),
            (BLM, "nmnm 1/"),
        ]

    def test_take_a_call_each_where_nothing_has_changed(self, both: User, dropbox: "Standin") -> None:
        told()

        attend()

        assert dropbox.calls() == {MORE: 2}

    def test_concern_the_leases_of_the_numbers_that_appear_there(self, both: User, dropbox: "Standin") -> None:
        done(both, "NMNM 1")
        dropbox.put(f"{self.DOCUMENTS}/NMNM 9/")
        told()

        attend()

        assert runs() == [FRESH, FRESH, DELTA]
        assert owed() == {"NMNM 9": "the document archive appeared"}


class TestLostSight:
    """Nothing flips: no lease is owed a run, and the index keeps what it knows."""

    @pytest.fixture
    def many(self, watched_archives: User, dropbox: "Standin") -> User:
        dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(150)])
        for number in range(3):
            done(watched_archives, f"NMNM 1{number:03}")
        told()
        attend()
        assert owed() == {}
        return watched_archives

    @pytest.mark.parametrize("sight", ["none", "traverse_only", "no_access"])
    def test_of_the_folder_itself(self, many: User, dropbox: "Standin", sight: str) -> None:
        dropbox.sight("olivia", BLM, sight)
        told()

        attend()
        attend()

        assert runs()[2:] == [("refused", True)]
        assert owed() == {}
        assert not fresh()
        assert StoredFile.objects.filter(state="present", is_directory=True).count() == 152

    def test_of_very_much_of_what_lies_there(self, many: User, dropbox: "Standin") -> None:
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()

        attend()
        attend()

        assert runs()[2:] == [("refused", True)]
        assert owed() == {}
        assert not fresh()

    def test_begins_no_run_for_the_same_before_an_hour_is_over(self, many: User, dropbox: "Standin") -> None:
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()
        attend()
        for _ in range(3):
            told()
            attend()
        assert runs()[2:] == [("refused", True)]

        later(archive_looks.BEGUN_AGAIN_AFTER)
        attend()

        assert runs()[2:] == [("refused", True)] * 2
        assert owed() == {}

    def test_is_told_once_somebody_has_let_it_go_on(self, many: User, dropbox: "Standin") -> None:
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()
        attend()

        refused = IndexRun.objects.latest("pk")
        IndexSyncService().override(run_id=refused.pk, allow_missing=refused.missing_count)
        work()
        attend()

        assert owed() == {f"NMNM 1{number:03}": GONE for number in range(3)}

    def test_is_looked_at_again_when_something_else_has_changed(self, many: User, dropbox: "Standin") -> None:
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()
        attend()
        dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(150)])
        told()

        attend()

        assert [state for state, _ in runs()[2:]] == ["refused", "done"]
        assert fresh()


class TestWhatGoesWrong:
    def test_a_failure_is_asked_again_after_a_rest(
        self, watched_archives: User, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 9/")
        told()
        dropbox.fault(MORE, status=503, body="down")

        attend()
        assert "could not be looked at" in caplog.text
        assert dropbox.calls() == {MORE: 1}
        later(archive_looks.RESTS[0])
        attend()

        assert owed() == {"NMNM 9": APPEARED}
        assert (watch().failures, watch().resting_until) == (0, None)

    def test_the_first_rest_is_over_when_the_duty_comes_again(self, watched_archives: User, dropbox: "Standin") -> None:
        told()
        dropbox.fault(MORE, status=503, body="down")

        attend()

        assert timedelta(0) < rest() < timedelta(seconds=5)

    def test_rests_longer_each_time(self, watched_archives: User, dropbox: "Standin") -> None:
        dropbox.fault(MORE, status=503, body="down", times=9)
        rests = []

        for _ in range(9):
            told()
            archive_looks.look_after_all()
            rests.append(round(rest().total_seconds()))
            ArchiveWatch.objects.update(resting_until=None)

        assert rests == [4, 9, 18, 30, 60, 120, 300, 300, 300]

    def test_a_run_that_somebody_has_begun_in_this_moment_is_left_alone(
        self, watched_archives: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 9/")
        told()
        monkeypatch.setattr(IndexSyncService, "start", Mock(side_effect=RootBusy))

        archive_looks.look_after_all()

        assert runs() == [FRESH]
        assert watch().resting_until is None

    def test_what_there_was_no_time_for_waits(
        self, watched_archives: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_looks, "LOOKS_FOR_S", -1)
        told()

        attend()

        assert dropbox.calls() == {}

    def test_a_pause_is_waited_for(self, watched_archives: User, dropbox: "Standin") -> None:
        told()
        dropbox.fault(MORE, status=429, headers={"Retry-After": "300"}, body=union("too_many_requests"))

        attend()

        assert rest() > timedelta(minutes=4)

    def test_an_account_that_has_to_be_connected_again_is_left_alone(
        self, watched_archives: User, dropbox: "Standin"
    ) -> None:
        DropboxAccount.objects.update(needs_reconnect_reason="It was revoked.")
        later(timedelta(minutes=10))

        attend()
        attend()

        assert dropbox.calls() == {}
        assert runs() == [FRESH]
        assert not fresh()

    def test_nothing_is_read_for_the_first_time_by_an_account_that_nobody_lends(
        self, operator: User, dropbox: "Standin"
    ) -> None:
        configured()
        absent(operator)
        User.objects.update(is_superuser=False)

        attend()

        assert runs() == []
        assert dropbox.calls() == {}
        assert watch().resting_until is not None

    def test_one_that_is_out_of_order_does_not_keep_others(
        self, watched_archives: User, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        configured("NMSLO", "/State")
        dropbox.put("/State/B0-1/")
        absent(watched_archives, "B0-1", agency="NMSLO", known_base_path="/State")
        ArchiveWatch.objects.update(looked_at=None)
        dropbox.fault(MORE, status=503, body="down", path=BLM)

        attend()

        assert owed() == {"B0-1": APPEARED}

    def test_a_listing_directory_by_directory_is_repeated_as_a_whole(self, operator: User, dropbox: "Standin") -> None:
        configured()
        dropbox.put(f"{ARCHIVE}/{REPORT}")
        absent(operator, "NMNM 9")
        dropbox.fault(LIST, status=503, body="down", times=2)
        attend()
        assert watch().root.cursor == EACH
        assert fresh()
        dropbox.put(f"{BLM}/NMNM 9/")
        told()

        attend()
        assert runs() == [FRESH]
        later(archive_looks.ALL_AT_MOST_EVERY)
        attend()

        assert runs() == [FRESH, FRESH]
        assert watch().root.cursor != EACH
        assert owed() == {"NMNM 9": APPEARED}

    @pytest.mark.parametrize("answer", ["follow", "not_found", "reset"])
    def test_nothing_is_concluded_from_a_folder_that_was_renamed(
        self, watched_archives: User, dropbox: "Standin", answer: str
    ) -> None:
        """Its cursor follows it to its new name, or leads nowhere, or is forgotten."""
        done(watched_archives, reports=[REPORT])
        _move(dropbox, BLM, f"{BLM} 2")
        dropbox.watched_folder(answer)
        told()

        attend()
        attend()

        assert runs() == [FRESH, ("refused", answer != "reset")]
        assert owed() == {}
        assert not fresh()

    def test_a_root_that_has_moved_is_watched_as_another(self, watched_archives: User, dropbox: "Standin") -> None:
        before = watch()
        dropbox.migrate_root()
        later(timedelta(minutes=10))

        for _ in range(3):
            later(timedelta(minutes=10))
            attend()

        assert watch().pk != before.pk
        assert watch().path_root == DropboxAccount.objects.get().root_namespace_id
        assert not StorageRoot.objects.filter(pk=before.root_id).exists()
        assert not StoredFile.objects.filter(root=before.root_id).exists()
        assert fresh()


def _move(dropbox: "Standin", source: str, target: str) -> None:
    account = DropboxAccount.objects.get()
    answer = requests.post(
        f"{dropbox.base_url}/2/files/move_v2",
        json={"from_path": source, "to_path": target},
        headers={
            "Authorization": f"Bearer {account.access_token}",
            "Dropbox-API-Path-Root": json.dumps({".tag": "root", "root": account.root_namespace_id}),
        },
        timeout=10,
    )
    answer.raise_for_status()
