"""What comes near whole sets of numbers, by the index of one account."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services import near_index
from discovery.services.archive_index import NAMES, ArchiveIndex
from discovery.services.near_index import fresh_index, nearest_in, told_of, without_archive
from leases.models import AgencyStorageConfig
from leases.neighbours import Looked, Near
from storage.models import StorageRoot, StoredFile
from tests import factories
from tests.factories import BLM, configured, indexed, watched

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_index, "_remembered", near_index._Remembered())


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    made = factories.account(user=olivia)
    made.save()
    return made


@pytest.fixture
def watch(account: DropboxAccount) -> ArchiveWatch:
    configured()
    made = watched(account)
    indexed(made, {"NMNM 0501759": ["Master Documents.pdf"], "NMNM 0507159": ["~$Master Documents.docx"]})
    return made


def index(user: User) -> ArchiveIndex:
    found = fresh_index(agency="BLM", user=user)
    assert found is not None
    return found


class Reading:
    """How often the names of all archives are read."""

    count = 0


@pytest.fixture
def reading() -> Iterator[Reading]:
    read = Reading()

    def look(execute: Any, sql: str, *rest: Any) -> Any:
        read.count += sql == NAMES
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        yield read


class TestNearestIn:
    def test_tells_of_each_whether_it_has_a_report(self, watch: ArchiveWatch, olivia: User) -> None:
        indexed(watch, {"NMNM 5501759": []}, partial=True)
        indexed(watch, {"NMNM 0501758": ["a.pdf", "Master Documents.pdf"]}, partial=True)

        found = nearest_in(index(olivia), ["NMNM 501759", "NMNM 4444444"])

        assert {each.name: each.has_report for each in found["NMNM 501759"]} == {
            "NMNM 0501759": True,
            "NMNM 0507159": False,
            "NMNM 0501758": True,
            "NMNM 5501759": None,  # not all that lies in it is seen
        }
        assert found["NMNM 501759"][0].name == "NMNM 0501759"
        assert found["NMNM 4444444"] == ()

    def test_reads_the_names_once_for_many(self, watch: ArchiveWatch, olivia: User, reading: Reading) -> None:
        nearest_in(index(olivia), [f"NMNM 05017{n:02}" for n in range(60, 99)])
        with CaptureQueriesContext(connection) as queries:
            nearest_in(index(olivia), [f"NMNM 05017{n:02}" for n in range(60, 99)])

        assert reading.count == 1
        assert len(queries) <= 4

    def test_reads_them_anew_once_the_index_was(self, watch: ArchiveWatch, olivia: User, reading: Reading) -> None:
        nearest_in(index(olivia), ["NMNM 501758"])
        indexed(watch, {"NMNM 0501758": []})
        StorageRoot.objects.update(read_at=now())

        found = nearest_in(index(olivia), ["NMNM 501758"])

        assert found["NMNM 501758"][0].name == "NMNM 0501758"
        assert reading.count == 2

    def test_makes_nothing_anew_of_the_same_names(
        self, watch: ArchiveWatch, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = near_index._remembered.of(index(olivia))
        StorageRoot.objects.update(read_at=now())

        assert near_index._remembered.of(index(olivia)) is before

    def test_remembers_a_few_folders(self, watch: ArchiveWatch, account: DropboxAccount, olivia: User) -> None:
        first = near_index._remembered.of(index(olivia))
        for number in range(near_index.REMEMBERED_AT_MOST):
            AgencyStorageConfig.objects.update(runsheet_archive_base_path=f"{BLM}/{number}")
            watched(account, f"{BLM}/{number}")
            nearest_in(index(olivia), ["NMNM 1"])
        AgencyStorageConfig.objects.update(runsheet_archive_base_path=BLM)

        assert near_index._remembered.of(index(olivia)) is not first

    def test_asks_nothing_for_none(self, watch: ArchiveWatch, olivia: User, reading: Reading) -> None:
        assert nearest_in(index(olivia), []) == {}
        assert reading.count == 0


class TestToldOf:
    def test_keeps_what_is_known(self) -> None:
        near = [Near(name="a", has_report=True), Near(name="b"), Near(name="c", has_report=False)]

        assert told_of(near) == {"nearest": ["a", "b", "c"], "nearest_reports": {"a": True, "c": False}}
        assert told_of(near[1:2]) == {"nearest": ["b"]}


class TestWithoutArchive:
    def test_names_those_that_have_none_with_what_comes_near(self, watch: ArchiveWatch, olivia: User) -> None:
        numbers = ["NMNM 501759", "nmnm 0501759", "NMNM 4444444", "NMNM \N{CYRILLIC CAPITAL LETTER EM}"]

        found = without_archive(agency="BLM", numbers=numbers, user=olivia)

        assert found is not None
        assert list(found.near) == ["NMNM 501759", "NMNM 4444444"]
        assert [each.name for each in found.near["NMNM 501759"] or ()] == ["NMNM 0501759", "NMNM 0507159"]
        assert found.near["NMNM 4444444"] == ()

    def test_tells_neither_of_letters_that_dropbox_may_compare_otherwise_nor_of_a_file(
        self, watch: ArchiveWatch, olivia: User
    ) -> None:
        """They count neither as having an archive nor as having none."""
        odd = ["NMNM 1\N{CYRILLIC CAPITAL LETTER EM}", "NMNM 2\N{CYRILLIC CAPITAL LETTER EM}"]
        indexed(watch, {odd[1]: []})
        StoredFile.objects.create(root=watch.root, key="nmnm 3", name="NMNM 3", is_directory=False)

        found = without_archive(agency="BLM", numbers=[*odd, "NMNM 3", "NMNM 4"], user=olivia)

        assert found == Looked(near={"NMNM 4": ()}, unknown=frozenset({odd[0], "NMNM 3"}))

    def test_looks_for_no_more_than_anybody_reads(
        self, watch: ArchiveWatch, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(near_index, "LOOKED_AT_MOST", 1)

        found = without_archive(agency="BLM", numbers=["NMNM 501759", "NMNM 501758"], user=olivia)

        assert found is not None
        assert found.near["NMNM 501759"]
        assert found.near["NMNM 501758"] is None

    @pytest.mark.parametrize(
        "why", ["not configured", "switched off", "not watched", "no Dropbox", "lost", "not read", "old", "being read"]
    )
    def test_says_nothing_where_it_would_guess(
        self, watch: ArchiveWatch, account: DropboxAccount, olivia: User, why: str
    ) -> None:
        match why:
            case "not configured":
                AgencyStorageConfig.objects.all().delete()
            case "switched off":
                AgencyStorageConfig.objects.update(enabled=False)
            case "not watched":
                AgencyStorageConfig.objects.update(watched=False)
            case "no Dropbox":
                account.delete()
            case "lost":
                DropboxAccount.objects.update(needs_reconnect_reason="It was revoked.")
            case "not read":
                watch.delete()
            case "old":
                StorageRoot.objects.update(read_at=now() - timedelta(hours=1))
            case _:
                StorageRoot.objects.update(read_at=None)

        assert without_archive(agency="BLM", numbers=["NMNM 501759"], user=olivia) is None

    @pytest.mark.parametrize("then", ["read anew", "being read"])
    def test_says_nothing_of_what_was_changed_while_it_was_read(
        self, watch: ArchiveWatch, olivia: User, monkeypatch: pytest.MonkeyPatch, then: str
    ) -> None:
        real = near_index.nearest_in

        def meanwhile(*given: Any) -> Any:
            StorageRoot.objects.update(read_at=now() if then == "read anew" else None)
            return real(*given)

        monkeypatch.setattr(near_index, "nearest_in", meanwhile)

        assert without_archive(agency="BLM", numbers=["NMNM 501759"], user=olivia) is None
