"""What is known of a folder of archives without asking Dropbox, and when that may be believed."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services import archive_index
from discovery.services.archive_index import ArchiveIndex, index_of, watch_of
from storage.models import IndexRun, StoredFile
from tests import factories
from tests.factories import BLM, indexed, watched

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    made = factories.account(user=olivia)
    made.save()
    return made


@pytest.fixture
def watch(account: DropboxAccount) -> ArchiveWatch:
    return watched(account)


def index(account: DropboxAccount, base: str = BLM, *, poll_minutes: int = 5) -> ArchiveIndex:
    found = index_of(account=account, base_path=base, poll_minutes=poll_minutes)
    assert found is not None
    return found


def is_fresh(account: DropboxAccount) -> bool:
    return index(account).is_fresh


class TestIndexOf:
    def test_is_of_the_account_that_read_it_only(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        assert index(account).watch == watch
        assert index(account, BLM.upper()).watch == watch
        assert index_of(account=account, base_path=f"{BLM}/x", poll_minutes=5) is None
        account.account_id = "dbid:2"
        assert index_of(account=account, base_path=BLM, poll_minutes=5) is None

    def test_is_of_the_root_in_which_it_was_read_only(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        account.root_namespace_id = "2"

        assert index_of(account=account, base_path=BLM, poll_minutes=5) is None

    @pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (5.9, True), (6.1, False)])
    def test_is_fresh_for_its_period(
        self, account: DropboxAccount, watch: ArchiveWatch, minutes: float, fresh: bool
    ) -> None:
        watch.root.read_at = now() - timedelta(minutes=minutes)
        watch.root.save()

        assert is_fresh(account) is fresh

    def test_is_not_fresh_while_something_is_known_to_have_changed(
        self, account: DropboxAccount, watch: ArchiveWatch
    ) -> None:
        watch.root.read_at = None
        watch.root.save()

        assert not is_fresh(account)

    def test_is_not_fresh_once_dropbox_has_told_of_a_change(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        account.changed_at = watch.root.read_at
        assert is_fresh(account)
        account.changed_at = now() + timedelta(seconds=1)
        assert not is_fresh(account)

    @pytest.mark.parametrize(
        ("said", "fresh"),
        [({"mode": "sync"}, False), ({"mode": "audit"}, True), ({"mode": "sync", "dry_run": True}, True)],
    )
    def test_is_not_fresh_while_a_run_changes_it(
        self, account: DropboxAccount, watch: ArchiveWatch, said: dict[str, object], fresh: bool
    ) -> None:
        IndexRun.objects.create(root=watch.root, **said)

        assert index(account).is_being_read is not fresh
        assert is_fresh(account) is fresh


class TestWatchOf:
    def test_is_that_of_the_account_the_root_and_the_folder_in_any_case(self, watch: ArchiveWatch) -> None:
        asked = {"account_id": watch.account_id, "path_root": watch.path_root, "base_path": BLM.upper()}

        assert watch_of(**asked) == watch
        for another in ({"account_id": "dbid:2"}, {"path_root": "2"}, {"base_path": f"{BLM}/x"}):
            assert watch_of(**asked | another) is None

    def test_is_found_by_the_index_that_keeps_watches_apart(self, watch: ArchiveWatch) -> None:
        named = {"account_id": watch.account_id, "path_root": watch.path_root, "base_path": watch.base_path}
        watches = archive_index._watches(**named).select_related(None).values("pk")

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        plan = watches.explain()
        (condition,) = re.findall(r"Index Scan using discovery_watch_once_per_account .*\n +Index Cond: (.*)", plan)
        assert all(part in condition for part in ("account_id", "path_root", "base_path"))


class TestArchives:
    def test_are_found_by_their_names_in_any_case(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        indexed(
            watch, {"NMNM 1": ["Master Documents.pdf", "Runsheets/", "Runsheets/deep.pdf"], "NMNM 10": [], "B0-1": []}
        )

        found = index(account).archives(["nmnm 1", "NMNM 10", "NMNM 2"])

        one = found["nmnm 1"]
        assert one is not None
        assert (one.name, one.folder_id, one.is_directory, one.is_partial) == ("NMNM 1", "id:NMNM_1", True, False)
        assert [file.name for file in one.files] == ["Master Documents.pdf"]
        assert found["NMNM 10"] is not None
        assert found["NMNM 2"] is None

    def test_what_is_missing_is_not_there(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": ["a.pdf"]})
        StoredFile.objects.update(state="missing")

        assert index(account).archives(["NMNM 1"]) == {"NMNM 1": None}

    def test_a_name_that_may_be_compared_otherwise_is_said_to_be_there_only(
        self, account: DropboxAccount, watch: ArchiveWatch
    ) -> None:
        indexed(watch, {"Ñandú 1": []})

        found = index(account).archives(["ÑANDÚ 1", "Ñandú 2"])

        assert list(found) == ["ÑANDÚ 1"]

    def test_a_file_in_the_place_of_an_archive_is_none(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        StoredFile.objects.create(root=watch.root, key="nmnm 1", name="NMNM 1")

        (found,) = index(account).archives(["NMNM 1"]).values()

        assert found is not None
        assert not found.is_directory

    def test_partial_sight_is_told(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": []}, partial=True)

        (found,) = index(account).archives(["NMNM 1"]).values()

        assert found is not None
        assert found.is_partial

    def test_all_names(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": ["a.pdf", "Runsheets/"], "NMNM 10": [], "B0-1-2": ["x/", "x/y"]})
        StoredFile.objects.create(root=watch.root, key="notes.txt", name="notes.txt")
        StoredFile.objects.filter(key="nmnm 10/").update(state="missing")

        assert index(account).names() == ["B0-1-2", "NMNM 1"]

    def test_goes_past_what_lies_in_a_directory_that_has_no_row(
        self, account: DropboxAccount, watch: ArchiveWatch
    ) -> None:
        """As where a file has taken its place."""
        indexed(watch, {"A": [], "NMNM 1": ["a.pdf", "Sub/", "Sub/b.pdf"], "NMNM 10": [], "NMNM 2": ["c.pdf"]})
        StoredFile.objects.filter(key="nmnm 1/").update(key="nmnm 1", is_directory=False)
        StoredFile.objects.filter(key="nmnm 2/").delete()

        assert index(account).names() == ["A", "NMNM 10"]

    def test_the_evidence_names_the_cursor_without_telling_it(
        self, account: DropboxAccount, watch: ArchiveWatch
    ) -> None:
        told = index(account).evidence(path="/a")

        assert told["read_at"] == watch.root.read_at.isoformat()  # type: ignore[union-attr]  # `watched` sets it
        assert len(told["cursor"]) == 12
        assert watch.root.cursor not in str(told)

    def test_all_names_of_rows_that_are_being_changed(self, account: DropboxAccount, watch: ArchiveWatch) -> None:
        """A file has come in the place of a directory, and what lay in that is not gone yet; of another, the row comes later."""
        indexed(watch, {"NMNM 1": ["a.pdf"], "NMNM 2": ["Runsheets/", "a.pdf"], "NMNM 3": []})
        StoredFile.objects.filter(key="nmnm 1/").update(key="nmnm 1", is_directory=False)
        StoredFile.objects.filter(key="nmnm 2/").delete()

        assert index(account).names() == ["NMNM 3"]
