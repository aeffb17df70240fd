"""What only a disk has: links, folders, rights, room, and what a power failure or a kill leaves."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from bench import outages
from storage.backends import local
from storage.backends.errors import Denied, Exists, FullDisk, NotFound, Unavailable
from storage.backends.keys import INCOMING
from storage.backends.local import LEFT_S, LOOK_BYTES, LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(directory=str(tmp_path / "documents"), is_made=True)


@pytest.fixture
def top(storage: LocalStorage) -> Path:
    storage.check()
    return storage.directory


def incoming(storage: LocalStorage) -> list[Path]:
    return list((storage.directory / INCOMING).iterdir())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class TestALink:
    """Nothing that lies elsewhere is read, written or listed by way of a symbolic link."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret").write_text("secret")
        return tmp_path / "outside"

    def test_in_the_place_of_a_folder_is_not_followed(self, storage: LocalStorage, top: Path, outside: Path) -> None:
        (top / "17").symlink_to(outside)

        for asking in (storage.stat, storage.read, storage.delete):
            with pytest.raises(Denied, match="symbolic link"):
                asking("17/secret")
        with pytest.raises(Denied, match="symbolic link"):
            storage.put("17/new", [b"1"])
        assert list(storage.listing()) == []
        assert sorted(each.name for each in outside.iterdir()) == ["secret"]

    def test_in_the_place_of_a_file_is_not_followed(self, storage: LocalStorage, top: Path, outside: Path) -> None:
        (top / "a").symlink_to(outside / "secret")

        for asking in (storage.stat, storage.read, storage.delete):
            with pytest.raises(Denied):
                asking("a")
        with pytest.raises(Exists):
            storage.put("a", [b"1"], exclusive=True)
        assert list(storage.listing()) == []

    def test_is_replaced_itself(self, storage: LocalStorage, top: Path, outside: Path) -> None:
        (top / "a").symlink_to(outside / "secret")

        storage.put("a", [b"1"])

        assert storage.read("a") == b"1"
        assert (outside / "secret").read_text() == "secret"

    def test_in_the_place_of_what_is_being_written_is_not_followed(
        self, storage: LocalStorage, top: Path, outside: Path
    ) -> None:
        (top / INCOMING).symlink_to(outside)

        with pytest.raises(Denied):
            storage.put("a", [b"1"])


class TestAFolder:
    def test_is_no_file(self, storage: LocalStorage, top: Path) -> None:
        (top / "17").mkdir()

        with pytest.raises(NotFound):
            storage.stat("17")
        with pytest.raises(NotFound):
            storage.read("17")
        storage.delete("17")
        assert (top / "17").is_dir()
        for exclusive in (True, False):
            with pytest.raises(Exists):
                storage.put("17", [b"1"], exclusive=exclusive)

    def test_cannot_be_where_a_file_is(self, storage: LocalStorage) -> None:
        storage.put("a", [b"1"])

        with pytest.raises(NotFound):
            storage.stat("a/b")
        with pytest.raises(Exists):
            storage.put("a/b", [b"1"])

    def test_stays_when_its_last_file_goes(self, storage: LocalStorage, top: Path) -> None:
        storage.put("17/b/a", [b"1"])

        storage.delete("17/b/a")

        assert (top / "17" / "b").is_dir()


class TestWhatIsNoFile:
    def test_is_not_opened(self, storage: LocalStorage, top: Path) -> None:
        os.mkfifo(top / "pipe")

        for asking in (storage.stat, storage.read):
            with pytest.raises(Denied, match="no file"):
                asking("pipe")
        assert list(storage.listing()) == []


class TestListing:
    def test_is_in_the_order_of_bytes(self, storage: LocalStorage) -> None:
        keys = ["a-b", "a.b", "a/b", "a/é", "a/😀", "a0", "aé", "b", "a/b.c/d", "a/b/c"]
        for key in [each for each in keys if each != "a/b"]:
            storage.put(key, [b"1"])

        found = [stored.key for stored in storage.listing()]

        assert found == sorted(found, key=str.encode)
        assert set(found) == set(keys) - {"a/b"}
        for at, key in enumerate(found):
            assert [stored.key for stored in storage.listing(after=key)] == found[at + 1 :]

    def test_passes_over_names_that_are_no_text_and_what_is_being_written(
        self, storage: LocalStorage, top: Path
    ) -> None:
        storage.put("a", [b"1"])
        (top / INCOMING / "rest").touch()
        (top / os.fsdecode(b"\xff")).touch()
        (top / "17" / INCOMING).mkdir(parents=True)
        (top / "17" / INCOMING / "b").touch()

        assert [stored.key for stored in storage.listing()] == [f"17/{INCOMING}/b", "a"]

    def test_goes_on_where_files_and_folders_vanish_meanwhile(self, storage: LocalStorage, top: Path) -> None:
        for key in ("a", "b", "c/d", "e"):
            storage.put(key, [b"1"])
        found = storage.listing()
        assert next(found).key == "a"

        (top / "b").unlink()
        (top / "c" / "d").unlink()
        (top / "c").rmdir()

        assert [stored.key for stored in found] == ["e"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
    def test_says_which_folder_is_closed(self, storage: LocalStorage, top: Path) -> None:
        (top / "a").mkdir(mode=0)

        with pytest.raises(Denied):
            list(storage.listing())


class TestPut:
    def test_lets_only_the_owner_write_and_others_nothing(self, storage: LocalStorage, top: Path) -> None:
        before = os.umask(0)
        try:
            storage.put("17/a", [b"1"])
        finally:
            os.umask(before)

        assert stat.S_IMODE((top / "17" / "a").stat().st_mode) == 0o640
        assert stat.S_IMODE((top / "17").stat().st_mode) == 0o750

    def test_is_safe_on_the_disk_before_it_has_its_name(
        self, storage: LocalStorage, top: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps: list[str] = []
        fsync, link, replace = os.fsync, os.link, os.replace

        def noted(name: str, call: Callable[..., None]) -> Callable[..., None]:
            def noting(*args: Any, **options: Any) -> None:
                steps.append(name)
                call(*args, **options)

            return noting

        def synced(descriptor: int) -> None:
            steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "link", noted("link", link))
        monkeypatch.setattr(os, "replace", noted("rename", replace))

        storage.put("17/a", [b"1"], exclusive=True)
        storage.put("17/a", [b"2"])

        # The folder for what is being written and the one for the file are made, and safe, too.
        assert steps == ["folder", "file", "folder", "link", "folder", "file", "rename", "folder"]

    def test_leaves_nothing_beside(self, storage: LocalStorage) -> None:
        def breaking() -> Iterator[bytes]:
            yield b"1"
            assert len(incoming(storage)) == 1
            raise KeyboardInterrupt

        storage.put("a", [b"1"])
        with pytest.raises(Exists):
            storage.put("a", [b"1"], exclusive=True)
        with pytest.raises(KeyboardInterrupt):
            storage.put("b", breaking())

        assert incoming(storage) == []

    def test_clears_away_what_killed_processes_have_left_long_ago(self, storage: LocalStorage, top: Path) -> None:
        (top / INCOMING).mkdir()
        old, new = top / INCOMING / "old", top / INCOMING / "new"
        for path in (old, new):
            path.touch()
        os.utime(old, (0, old.stat().st_mtime - LEFT_S - 60))

        storage.put("a", [b"1"])

        assert incoming(storage) == [new]


class TestStream:
    def test_closes_the_file_whoever_stops_asking(self, storage: LocalStorage) -> None:
        storage.put("a", [bytes(3 * local.READ_BYTES)])
        before = open_files()

        unasked, asked = storage.stream("a"), storage.stream("a")
        next(asked)
        del unasked, asked

        assert open_files() == before


class TestRoom:
    def test_is_kept(self, tmp_path: Path) -> None:
        storage = LocalStorage(directory=str(tmp_path), free_bytes=10**18)

        with pytest.raises(FullDisk) as refusal:
            storage.put("a", [b"1"])

        assert refusal.value.status == 507
        assert refusal.value.evidence["floor_bytes"] == 10**18
        assert not storage.exists("a")
        assert incoming(storage) == []

    def test_is_looked_at_again_while_a_file_grows(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks: list[int] = []
        monkeypatch.setattr(storage, "_refuse_when_full", looks.append)
        piece = bytes(local.READ_BYTES)

        storage.put("a", (piece for _ in range(2 * LOOK_BYTES // len(piece) + 1)))

        assert len(looks) == 3

    @pytest.mark.process
    def test_that_ends_while_a_file_grows_leaves_nothing_of_it(self, tmp_path: Path) -> None:
        try:
            with outages.small_disk(tmp_path / "small", size_kb=1024) as disk:
                storage = LocalStorage(directory=str(tmp_path / "small"))
                with pytest.raises(FullDisk):
                    storage.put("a", (b"x" * 100_000 for _ in range(20)))
                assert not storage.exists("a")
                assert incoming(storage) == []
                assert disk
        except (CalledProcessError, FileNotFoundError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")


class TestADiskThatFails:
    @pytest.mark.parametrize(
        ("number", "failure"),
        [
            (errno.EIO, Unavailable),
            (errno.ESTALE, Unavailable),
            (errno.ENOSPC, FullDisk),
            (errno.EDQUOT, FullDisk),
            (errno.EROFS, Denied),
            (errno.EACCES, Denied),
        ],
        ids=lambda each: errno.errorcode[each] if isinstance(each, int) else "",
    )
    def test_is_told_apart(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int, failure: type[Exception]
    ) -> None:
        def fail(_descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        storage.put("a", [b"1"])
        monkeypatch.setattr(os, "fsync", fail)

        with pytest.raises(failure):
            storage.put("a", [b"2"])

        assert storage.read("a") == b"1"
        assert incoming(storage) == []

    def test_is_not_made_where_it_may_be_one_that_is_not_mounted(self, tmp_path: Path) -> None:
        storage = LocalStorage(directory=str(tmp_path / "disk"))

        for asking in (storage.check, lambda: storage.put("a", [b"1"]), lambda: storage.exists("a")):
            with pytest.raises(
                Denied, match=r"cannot be opened: No such file or directory\. See whether its disk is mounted"
            ):
                asking()
        assert not (tmp_path / "disk").exists()

    def test_that_is_a_file_is_said_to_be(self, tmp_path: Path) -> None:
        (tmp_path / "disk").touch()

        with pytest.raises(Denied, match="Not a directory"):
            LocalStorage(directory=str(tmp_path / "disk")).check()
        with pytest.raises(Exists):
            LocalStorage(directory=str(tmp_path / "disk"), is_made=True).check()
