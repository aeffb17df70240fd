"""What keeps the archive watch from concluding anything, and what it does then."""

from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services import archive_looks
from discovery.services.archive_lister import EACH
from discovery.services.archive_news import APPEARED, GONE
from storage.errors import RootBusy
from storage.models import IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.cloud.dropbox.conftest import LIST, MORE, union
from tests.discovery.watching import (
    FRESH,
    REPORT,
    absent,
    attend,
    done,
    fresh,
    later,
    move,
    owed,
    rest,
    runs,
    told,
    watch,
    work,
)
from tests.factories import ARCHIVE, BLM, configured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.flow, pytest.mark.django_db, pytest.mark.usefixtures("redis")]


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

    @pytest.mark.parametrize("others", ["a notification", "none, but it took long"])
    def test_is_asked_about_at_once_after_somebody_has_let_it_go_on(
        self, many: User, dropbox: "Standin", others: str
    ) -> None:
        """What is written down is as old as the plan, and so is not fresh; who was told of meanwhile waits for no poll."""
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()
        attend()
        refused = IndexRun.objects.latest("pk")
        if others == "a notification":
            dropbox.put(f"{BLM}/NMNM 9/")
            told()
            ArchiveWatch.objects.update(looked_at=Now())  # somebody has looked, and begun nothing
        else:
            asked_at = (now() - timedelta(minutes=30)).isoformat()
            IndexRun.objects.filter(pk=refused.pk).update(place={**refused.place, "asked_at": asked_at})
        IndexSyncService().override(run_id=refused.pk, allow_missing=refused.missing_count)
        work()
        assert not fresh()

        attend()

        assert fresh()
        assert owed() == {f"NMNM 1{number:03}": GONE for number in range(3)} | (
            {"NMNM 9": APPEARED} if others == "a notification" else {}
        )

    def test_longer_than_a_page_begins_another_run_when_more_may_have_come(
        self, watched_archives: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What comes behind the first page does not show there."""
        monkeypatch.setattr("cloud.dropbox.changes.PAGE_SIZE", 20)
        StorageRoot.objects.update(cursor="", read_at=None)
        dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(150)])
        attend()
        for number in range(150):
            dropbox.delete(f"{BLM}/NMNM 1{number:03}")
        told()
        attend()
        later(archive_looks.CUT_AGAIN_AFTER)
        attend()
        assert [state for state, _ in runs()[2:]] == ["refused"]
        dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(20, 150)])
        IndexRun.objects.filter(state="refused").update(entered_at=Now())
        told()
        attend()
        assert [state for state, _ in runs()[2:]] == ["refused"]

        later(archive_looks.CUT_AGAIN_AFTER)
        attend()

        assert [state for state, _ in runs()[2:]] == ["refused", "done"]
        assert fresh()

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
        move(dropbox, BLM, f"{BLM} 2")
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
