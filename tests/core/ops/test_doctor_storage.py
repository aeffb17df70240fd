"""What the doctor says of where files lie."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db.models import F
from redis import Redis

from core.ops.doctor import finding, storage
from core.ops.doctor.finding import Mark
from storage.backends.local import LocalStorage
from storage.index.walking import DirectoryWalk
from storage.models import IndexRun, StorageRoot
from storage.services import IndexSyncService

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Where documents lie."""
    where = tmp_path / "documents"
    where.mkdir()
    _is_at(settings, where)
    yield where
    _is_made_anew()


def _is_at(settings: Any, where: Path, **options: Any) -> None:
    backend = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": str(where), **options}}
    settings.STORAGES = {**settings.STORAGES, "documents": backend}
    _is_made_anew()


def _is_made_anew() -> None:
    vars(storages).pop("backends", None)
    vars(storages)["_storages"].clear()


def synced() -> IndexRun:
    service = IndexSyncService()
    return service.work(run_id=service.start(mode="sync", rings=False).pk)


@pytest.fixture
def indexed(disk: Path, redis: Redis) -> Path:
    User.objects.create(pk=7, username="user 7")
    (disk / "7").mkdir()
    (disk / "7" / "deed.pdf").write_text("deed")
    synced()
    return disk


def said(part: Any) -> list[tuple[Mark, str]]:
    return [(found.mark, found.seen) for found in part()]


def advice(part: Any) -> str:
    return " ".join(found.advice for found in part() if found.mark != Mark.OK)


class TestPlace:
    @pytest.mark.usefixtures("disk")
    def test_lets_us_in(self) -> None:
        assert said(storage.place) == [(Mark.OK, "lets us in")]

    def test_is_missing(self, disk: Path) -> None:
        disk.rmdir()

        assert said(storage.place) == [(Mark.WRONG, "cannot be used")]
        assert advice(storage.place)

    def test_has_no_room(self, settings: Any, disk: Path) -> None:
        _is_at(settings, disk, free_bytes=10**18)

        assert said(storage.place) == [(Mark.OK, "lets us in"), (Mark.WRONG, "has no room")]
        assert advice(storage.place).endswith("Nothing is added; everything can be read.")

    @pytest.mark.usefixtures("disk")
    def test_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        released = threading.Event()
        monkeypatch.setattr(LocalStorage, "check", lambda _: released.wait(30))
        monkeypatch.setattr(finding, "PATIENCE_S", 0.1)

        assert [mark for mark, _ in said(storage.place)] == [Mark.WRONG]
        released.set()


class TestRoots:
    @pytest.mark.usefixtures("disk")
    def test_that_were_never_looked_through_are_no_fault(self) -> None:
        assert said(storage.roots) == [
            (Mark.OK, "“documents” is there"), (Mark.NOTE, "“documents” was never looked through")
        ]  # fmt: skip
        assert "rebuild_index --mode sync --root documents" in advice(storage.roots)
        assert not StorageRoot.objects.exists(), "the doctor only looks"

    @pytest.mark.usefixtures("indexed")
    def test_are_well(self) -> None:
        assert said(storage.roots) == [(Mark.OK, "“documents” is there, with 1 file")]

    def test_have_lost_their_marker(self, indexed: Path) -> None:
        (indexed / ".runsheet-root").unlink()

        assert said(storage.roots) == [
            (Mark.WRONG, "“documents” is not there: its marker “.runsheet-root” is missing")
        ]  # fmt: skip

    def test_are_another_one(self, indexed: Path) -> None:
        (indexed / ".runsheet-root").write_text("another")

        assert said(storage.roots) == [(Mark.WRONG, "“documents” is not there: its marker is that of another root")]

    def test_are_not_mounted(self, indexed: Path) -> None:
        indexed.rename(indexed.with_name("away"))
        synced()

        assert said(storage.roots) == [
            (Mark.WRONG, "“documents” cannot be looked at"),
            (Mark.WRONG, "the last run over “documents” came to no end"),
        ]

    @pytest.mark.long
    @pytest.mark.usefixtures("indexed")
    def test_are_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        released = threading.Event()
        monkeypatch.setattr(DirectoryWalk, "marker", lambda _: released.wait(30))
        monkeypatch.setattr(finding, "PATIENCE_S", 1)

        assert said(storage.roots) == [(Mark.WRONG, "“documents” does not answer within 4 s")]
        released.set()

    @pytest.mark.usefixtures("indexed")
    @pytest.mark.parametrize(("hours", "days"), [(24, 7), (0, 1), (24, 0)])
    def test_were_looked_through_too_long_ago(self, settings: Any, hours: int, days: int) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS, settings.STORAGE_WHOLE_EVERY_DAYS = hours, days
        IndexRun.objects.update(entered_at=F("entered_at") - timedelta(hours=49))

        assert said(storage.roots)[1:] == [(Mark.WRONG, "“documents” was last looked through 2 days ago")]
        assert "It should be every 24 hours." in advice(storage.roots)

    @pytest.mark.usefixtures("indexed")
    def test_need_no_look_where_none_is_planned(self) -> None:
        IndexRun.objects.update(entered_at=F("entered_at") - timedelta(days=4_000))

        assert [mark for mark, _ in said(storage.roots)] == [Mark.OK]

    @pytest.mark.usefixtures("indexed")
    def test_cannot_be_told_without_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(storage, "from_database", lambda _: None)

        assert said(storage.roots) == [(Mark.NOTE, "cannot be looked at without PostgreSQL")]
