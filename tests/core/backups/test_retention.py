"""What is older than it has to be goes, and nothing else."""

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from core.backups import manifest as manifests
from core.backups.blobs import blob_key
from core.backups.lists import KeptBlob, Spool
from core.backups.manifest import Amount, Manifest, Part, Parts, Servers
from core.backups.place import Place, id_at, key_of
from core.backups.retention import Removed, clear
from storage.backends.local import LocalStorage

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(LocalStorage(directory=str(tmp_path)), prefix="runsheet/")


def lay(place: Place, *, days_ago: int, contents: tuple[bytes, ...] = (b"same",), ends: bool = True) -> str:
    """A backup of that day."""
    made_at = NOW - timedelta(days=days_ago)
    backup_id = id_at(made_at)
    with Spool(KeptBlob) as listed:
        for content in contents:
            name = sha256(content).hexdigest()
            place.put(blob_key(name), [content])
            listed.add(KeptBlob(name=name, size=len(content), sha256=name))
        written = place.put(key_of(backup_id, "blobs"), listed.chunks())
    part = Part(size=written.size, sha256=written.sha256)
    said = Manifest(
        format=1,
        id=backup_id,
        made_at=made_at,
        runsheet="0",
        servers=Servers(postgresql="18", pg_dump="18"),
        root="",
        migrations={},
        tables={},
        files=Amount(count=0, size=0),
        blobs=Amount(count=len(contents), size=0),
        missing=0,
        damaged=0,
        left_out=0,
        recipients=[],
        keys={},
        parts=Parts(database=part, files=part, blobs=part),
    )
    if ends:
        place.put(key_of(backup_id, "manifest.json"), [manifests.written(said)])
    return backup_id


def lay_some(place: Place) -> str:
    """As many as stay in any case; the newest."""
    return [lay(place, days_ago=days) for days in (2, 1, 0)][-1]


def pass_days(tmp_path: Path, days: int) -> None:
    """Since all of it was written."""
    then = (NOW - timedelta(days=days)).timestamp()
    for each in tmp_path.rglob("*"):
        os.utime(each, (then, then))


def contents(place: Place) -> set[bytes]:
    return {b"".join(place.stream(each.key)) for each in place.listing("blobs/")}


class TestClear:
    def test_takes_older_backups_and_what_only_they_need(self, place: Place, tmp_path: Path) -> None:
        old, new = lay(place, days_ago=31, contents=(b"same", b"old")), lay_some(place)
        pass_days(tmp_path, 8)

        removed = clear(place, newest=new, keep_days=30, at=NOW)

        assert removed == Removed(backups=(old,), blobs=1, bytes=3)
        assert (len(place.ids()), contents(place)) == (3, {b"same"})
        assert [each.key for each in place.listing("backups/") if old in each.key] == []

    def test_leaves_the_last_ones_whatever_their_age(self, place: Place) -> None:
        oldest, *others = [lay(place, days_ago=days) for days in (103, 102, 101, 100)]

        assert clear(place, newest=others[-1], keep_days=30, at=NOW).backups == (oldest,)
        assert clear(place, newest=others[-1], keep_days=30, at=NOW) == Removed()
        assert place.ids() == others

    def test_leaves_all_where_that_is_wished(self, place: Place) -> None:
        lay(place, days_ago=5_000)

        clear(place, newest=lay_some(place), keep_days=0, at=NOW)

        assert len(place.ids()) == 4

    def test_takes_what_came_to_no_end_and_does_no_more(self, place: Place, tmp_path: Path) -> None:
        half = lay(place, days_ago=8, contents=(b"half",), ends=False)
        new = lay_some(place)
        lay(place, days_ago=31)
        pass_days(tmp_path, 6)
        clear(place, newest=new, keep_days=30, at=NOW)
        assert contents(place) == {b"same", b"half"}
        assert list(place.listing(f"backups/{half}/"))

        pass_days(tmp_path, 8)
        clear(place, newest=new, keep_days=30, at=NOW)

        assert contents(place) == {b"same"}
        assert len({each.key.split("/")[1] for each in place.listing("backups/")}) == 3

    def test_leaves_each_content_where_it_cannot_be_told_who_needs_it(self, place: Place, tmp_path: Path) -> None:
        broken, new = lay(place, days_ago=3, contents=(b"mine",)), lay_some(place)
        lay(place, days_ago=31)
        place.put(key_of(broken, "blobs"), [b"{}\n"])
        pass_days(tmp_path, 8)

        removed = clear(place, newest=new, keep_days=30, at=NOW)

        assert "cannot be told" in removed.why_not
        assert contents(place) == {b"same", b"mine"}

    def test_touches_nothing_that_is_not_of_ours(self, place: Place, tmp_path: Path) -> None:
        new = lay_some(place)
        folders = [tmp_path / "runsheet" / name for name in ("blobs", "backups", "backups/other-site")]
        folders[-1].mkdir()
        others = [folder / "README" for folder in folders]
        for each in others:
            each.write_text("mine")
        lay(place, days_ago=31)
        pass_days(tmp_path, 8)

        clear(place, newest=new, keep_days=1, at=NOW)

        assert all(each.exists() for each in others)
