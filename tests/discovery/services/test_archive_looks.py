"""What changes in Dropbox, what runs of the index that leads to, and which leases are owed a run then."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from discovery.errors import ArchiveOutOfSight
from discovery.services import archive_looks
from discovery.services.archive_news import ADDED, ANEW, APPEARED, GONE, IN_PART, TAKEN
from leases.models import AgencyStorageConfig, Lease
from leases.states import State
from statemachine.models import TransitionLog
from storage.models import IndexRun, StoredFile
from tests.cloud.dropbox.conftest import MORE
from tests.discovery.watching import (
    DELTA,
    FRESH,
    REPORT,
    absent,
    attend,
    done,
    fresh,
    later,
    move,
    owed,
    runs,
    told,
)
from tests.factories import ARCHIVE, BLM, NUMBER, configured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.flow, pytest.mark.django_db, pytest.mark.usefixtures("redis")]


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
        move(dropbox, ARCHIVE, f"{BLM}/NMNM 9")
        told()

        attend()

        assert owed() == {NUMBER: GONE, "NMNM 9": APPEARED}

    @pytest.mark.parametrize("sight", ["traverse_only", "no_access"])
    def test_only_a_part_of_an_archive_is_seen_and_then_all_of_it_again(
        self, watched_archives: User, dropbox: "Standin", sight: str
    ) -> None:
        done(watched_archives, "NMNM 2")
        dropbox.sight("olivia", f"{BLM}/NMNM 2", sight)
        told()
        attend()
        assert owed() == {"NMNM 2": IN_PART}

        failed = {"state": State.FAILED, "failure_code": ArchiveOutOfSight.code}  # as the run judges
        Lease.objects.filter(lease_number="NMNM 2").update(due_at=None, due_reason="", **failed)
        dropbox.put(f"{BLM}/NMNM 2/{REPORT}")
        told()
        attend()
        assert owed() == {}
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "full")
        told()
        attend()

        assert owed() == {"NMNM 2": APPEARED}

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
