"""What has made others delete rows, and deletes none here: it says what it saw."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from storage.index import walking
from storage.index.entries import LATEST_NS
from storage.index.walking import DirectoryWalk
from storage.models import StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import Index, anomalies, changes, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db
YEAR_2400_NS = 13_569_465_600_000_000_000  # which a disk holds, and no column
needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every directory")


class TestLinks:
    def test_that_dangle_are_told_and_not_followed(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/z")
        tree.link("7/dangling", "/nowhere/at all")

        run = index("full")

        assert run.state == "done"
        assert anomalies(run) == {"7/dangling": "link"}
        detail = run.changes.get(action="anomaly").detail
        assert detail == "It is a link to “/nowhere/at all”, where nothing is. Links are not followed."
        assert rows() == tree.oracle(), "nothing that comes after it is left out"

    def test_in_the_place_of_a_file_keep_its_row(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/a.txt", "7/b")
        index("sync")
        tree.remove("7/a")
        tree.link("7/a", "/nowhere")

        run = index("full")

        assert states()["7/a"] == "present"
        assert run.counts["masked"] == 1

    def test_to_directories_are_not_followed_and_keep_what_was_below(self, tree: Tree, index: Index) -> None:
        tree.put("7/d/x", "7/d/y/z", "7/d.txt", "7/e")
        index("sync")
        tree.move("7/d", "8/d")
        tree.link("7/d", str(tree.path / "8/d"))

        run = index("full")

        assert anomalies(run) == {"7/d": "link"}
        assert {key for key, state in states().items() if state == "present"} >= {"7/d/", "7/d/x", "7/d/y/", "7/d/y/z"}

    def test_to_themselves_end_nothing(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        tree.link("7/loop", "loop")

        assert anomalies(index("full")) == {"7/loop": "link"}


class TestSpecialFiles:
    def test_are_told_and_not_opened(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/z")
        os.mkfifo(tree.path / "7/pipe")
        with socket.socket(socket.AF_UNIX) as listening:
            before = Path.cwd()
            os.chdir(tree.path / "7")
            listening.bind("socket")
            os.chdir(before)

        run = index("full", checksums=True)

        assert anomalies(run) == {"7/pipe": "special", "7/socket": "special"}
        assert rows() == tree.oracle()


class TestNames:
    def test_that_are_no_text_are_told_and_skipped(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/z")
        Path(os.fsdecode(bytes(tree.path) + b"/7/gr\xfcn")).touch()
        Path(os.fsdecode(bytes(tree.path) + b"/7/d\xff/below")).parent.mkdir()

        run = index("full")

        assert anomalies(run) == {"7/gr\\udcfcn": "name", "7/d\\udcff/": "name"}
        assert rows() == tree.oracle()

    def test_of_every_byte_are_kept_or_told(self, tree: Tree, index: Index) -> None:
        (tree.path / "7").mkdir()
        for byte in set(range(1, 256)) - {ord("/"), ord(".")}:
            Path(os.fsdecode(bytes(tree.path) + b"/7/" + bytes([byte]))).touch()

        run = index("full")

        assert len(anomalies(run)) == 128
        assert rows() == tree.oracle()
        assert changes(index("full")) == changes(run)[-128:]

    def test_that_are_too_long_are_told(self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(walking, "LONGEST_KEY_BYTES", 300)
        tree.put("7/" + "n" * 200 + "/" + "m" * 200, "7/z")

        run = index("full")

        assert set(anomalies(run).values()) == {"too_long"}
        assert "7/z" in rows()

    def test_that_are_too_deep_are_told_and_left_alone(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a/b/c/d", "7/z")
        index("sync")
        monkeypatch.setattr(walking, "DEEPEST", 3)

        run = index("full")

        assert anomalies(run) == {"7/a/b/": "too_deep"}
        assert "7/a/b/c/d" in rows()


class TestTimes:
    def test_beyond_all_columns_are_kept_as_the_last_that_one_holds(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/ä", "7/d/e", "7/z", at_ns=YEAR_2400_NS)
        os.utime(tree.path / "7/d", ns=(YEAR_2400_NS, YEAR_2400_NS))

        run = index("full")

        assert run.state == "done"
        told = dict(StoredFile.objects.values_list("key", "modified_ns"))
        assert {told[key] for key in ("7/a", "7/ä", "7/d/", "7/d/e", "7/z")} == {
            min(LATEST_NS, (tree.path / "7/a").stat().st_mtime_ns)
        }
        assert changes(index("full")) == []
        assert changes(index("full", incremental=True)) == []


class TestVanishing:
    def test_while_it_is_looked_at_is_told_and_concludes_nothing(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a", "7/ä", "7/z")
        index("sync")
        _before(monkeypatch, "_files", lambda: tree.remove("7/ä"), when="7/")

        run = index("full")

        assert anomalies(run) == {"7/ä": "vanished"}
        assert states()["7/ä"] == "present"
        assert "7/z" in states(), "and the scan goes on"

    def test_of_a_directory_is_told_and_concludes_nothing(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/d/x", "7/z")
        index("sync")

        def goes() -> None:
            if (tree.path / "7/d").exists():
                tree.remove("7/d")

        _before(monkeypatch, "_enter", goes, when="7/d/")
        run = index("full")

        assert anomalies(run) == {"7/d/": "vanished"}
        assert states()["7/d/x"] == "present"

    def test_from_the_listing_only_is_looked_at_once_more(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        listed = DirectoryWalk.walk
        monkeypatch.setattr(
            DirectoryWalk, "walk", lambda *a, **k: (each for each in listed(*a, **k) if each[0] != "7/b")
        )

        run = index("full")

        assert changes(run) == []
        assert run.counts["unchanged"] == 3

    def test_then_becomes_a_link_before_the_second_look(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        tree.link("7/b", "a")
        listed = DirectoryWalk.walk
        monkeypatch.setattr(
            DirectoryWalk, "walk", lambda *a, **k: (each for each in listed(*a, **k) if each[0] != "7/b")
        )

        run = index("full")

        assert anomalies(run) == {"7/b": "link"}
        assert states()["7/b"] == "present"

    def test_as_a_directory_that_becomes_a_link_under_way_is_not_followed(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Somebody exchanges a directory for a link out of the root while the walk is at it."""
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret/letter").touch()
        tree.put("7/d/x")
        _before(monkeypatch, "_enter", lambda: _exchange(tree, tmp_path / "secret"), when="7/d/")

        index("full")

        assert "7/d/letter" not in states()


class TestUnreadable:
    @needs_rights
    def test_directory_is_told_and_what_lies_in_it_is_left_alone(self, tree: Tree, index: Index) -> None:
        tree.put("7/d/x", "7/d/y/z", "7/e")
        index("sync")
        (tree.path / "7/d").chmod(0)

        try:
            run = index("full")
        finally:
            (tree.path / "7/d").chmod(0o755)

        assert anomalies(run) == {"7/d/": "unreadable"}
        assert states()["7/d/x"] == "present"
        assert run.counts["errors"] == 1

    def test_directory_whose_reading_breaks_off_is_told(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a bad disk would; the superuser, too, is told nothing by it."""
        tree.put("7/d/x", "7/d/y/z", "7/e")
        index("sync")
        _breaks(monkeypatch, tree.path / "7/d")

        run = index("full")

        assert anomalies(run) == {"7/d/": "unreadable"}
        assert run.changes.get(action="anomaly").detail == (
            "It cannot be read: Input/output error. What lies in it is left alone."
        )
        assert states()["7/d/y/z"] == "present"
        assert (run.counts["masked"], run.counts["errors"]) == (3, 1)


def test_a_file_that_is_written_during_the_scan_is_right_after_the_next(tree: Tree, index: Index) -> None:
    tree.put("7/a", "7/z")
    with (tree.path / "7/a").open("a") as growing:
        growing.write("more")
        index("full")
        growing.flush()
        os.fsync(growing.fileno())

    index("full")

    assert rows() == tree.oracle()


def test_a_clock_that_jumps_hides_no_edit(tree: Tree, index: Index) -> None:
    tree.put("7/a", text="one", at_ns=4_000_000_000_000_000_000)
    index("full")
    tree.put("7/a", text="two", at_ns=1_000_000_000)

    run = index("full")

    assert ("update", "7/a") in changes(run)
    assert StoredFile.objects.get(key="7/a").modified_ns == 1_000_000_000


def test_what_lies_there_of_ours_is_no_row(tree: Tree, index: Index) -> None:
    tree.put(".incoming/half", "7/a")

    index("full")

    assert sorted(states()) == ["7/", "7/a"]
    assert IndexSyncService().start(mode="audit", rings=False).root.marker != ""


def _before(monkeypatch: pytest.MonkeyPatch, name: str, act: Any, *, when: str = "") -> None:
    """Let something happen just before the walk does that."""
    original = getattr(walking._Descent, name)

    def acting(self: Any, *given: Any) -> Any:
        if not when or when in given:
            act()
        return original(self, *given)

    monkeypatch.setattr(walking._Descent, name, acting)


def _exchange(tree: Tree, other: Path) -> None:
    if not (tree.path / "7/d").is_symlink():
        tree.remove("7/d")
        tree.link("7/d", str(other))


def _breaks(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let the disk fail while a directory is read."""
    said, scan = directory.stat(), os.scandir

    def scandir(opened: int) -> Any:
        if os.path.samestat(os.fstat(opened), said):
            raise OSError(5, "Input/output error")
        return scan(opened)

    monkeypatch.setattr(os, "scandir", scandir)
