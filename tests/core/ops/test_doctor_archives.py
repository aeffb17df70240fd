"""What the doctor says of the folders of archives that are watched."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import now
from core.ops.doctor import archives
from core.ops.doctor.finding import Mark
from leases.models import AgencyStorageConfig
from storage.models import IndexRun, RunState
from tests.discovery.watching import absent
from tests.factories import BLM, configured, give_dropbox, watched

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _every_five_seconds(settings: Any) -> None:
    settings.ARCHIVE_WATCH_EVERY_S = 5


@pytest.fixture
def account(olivia: User, dropbox: "Standin") -> DropboxAccount:
    """Of whom a lease was run."""
    made = give_dropbox(olivia, dropbox)
    configured()
    absent(olivia)
    return made


def said() -> list[tuple[Mark, str]]:
    return [(each.mark, each.seen.removeprefix(f"{BLM} (Olivia Operator): ")) for each in archives.watches()]


class TestWatches:
    def test_are_none_where_the_settings_say_so(self, settings: Any) -> None:
        settings.ARCHIVE_WATCH_EVERY_S = 0

        assert said() == [(Mark.NOTE, "nothing is watched")]

    def test_are_none_before_the_first_lease(self, db: None) -> None:
        assert said() == [(Mark.OK, "nothing is to be watched yet: no lease was run")]

    @pytest.mark.parametrize(
        ("ago", "mark", "words"),
        [
            (timedelta(minutes=3), Mark.OK, "read 3 min ago"),
            (timedelta(minutes=30), Mark.WRONG, "last read 30 min ago"),
            (timedelta(hours=30), Mark.WRONG, "last read 30 hours ago"),
        ],
    )
    def test_are_read_as_often_as_they_are_to_be(
        self, account: DropboxAccount, ago: timedelta, mark: Mark, words: str
    ) -> None:
        watched(account, read_at=now() - ago)

        assert said() == [(mark, words)]

    def test_are_being_read(self, account: DropboxAccount) -> None:
        watched(account, read_at=None)

        assert said() == [(Mark.NOTE, "being read, or not read yet")]

    @pytest.mark.parametrize(
        "ended",
        [
            {"state": RunState.REFUSED, "refusal": "The folder is gone."},
            {"state": RunState.FAILED, "failure_message": "The folder is gone.", "failure_code": "x"},
        ],
    )
    def test_have_come_to_no_conclusion(self, account: DropboxAccount, ended: dict[str, str]) -> None:
        IndexRun.objects.create(root=watched(account).root, due_at=None, **ended)

        assert said() == [(Mark.WRONG, "the last run came to no conclusion")]
        assert next(archives.watches()).advice == "The folder is gone."

    def test_are_needed_by_nobody_any_more(self, account: DropboxAccount) -> None:
        watched(account)
        AgencyStorageConfig.objects.update(watched=False)

        assert said() == [(Mark.NOTE, "not watched any more")]

    def test_cannot_be_looked_at_without_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "from_database", lambda _: None)

        assert said() == [(Mark.NOTE, "cannot be looked at without PostgreSQL")]


class TestNotifications:
    def said(self) -> list[tuple[Mark, str]]:
        return [(each.mark, each.seen) for each in archives.notifications()]

    def test_are_not_waited_for_where_nothing_is_watched(self, account: DropboxAccount, settings: Any) -> None:
        assert self.said() == [(Mark.OK, "none is waited for: nothing is watched")]

        watched(account)
        settings.ARCHIVE_WATCH_EVERY_S = 0
        assert self.said() == [(Mark.OK, "none is waited for: nothing is watched")]

    def test_that_have_never_come_are_told_with_the_address(self, account: DropboxAccount) -> None:
        watched(account)

        assert self.said() == [(Mark.NOTE, "Dropbox has told of no change yet")]
        assert "/dropbox/webhook/ under “Webhooks”" in next(archives.notifications()).advice

    def test_are_told_by_the_last_one(self, account: DropboxAccount) -> None:
        watched(account)
        DropboxAccount.objects.update(changed_at=now() - timedelta(minutes=4))

        assert self.said() == [(Mark.OK, "Dropbox last told of a change 4 min ago; it has told of 1 of 1 account")]

    def test_cannot_be_looked_at_without_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "from_database", lambda _: None)

        assert self.said() == [(Mark.NOTE, "cannot be looked at without PostgreSQL")]
