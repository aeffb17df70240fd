"""Roots that are not there, and so many files missing that nobody is believed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.index.walking import DirectoryWalk
from storage.models import StorageRoot
from tests.storage.conftest import Index, changes, dump, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


class TestRoot:
    def test_that_is_not_there_is_refused(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        index("sync")
        before = dump()
        tree.path.rename(tree.path.with_name("elsewhere"))

        run = index("full")

        assert run.state == "refused"
        assert "is not there" in run.refusal
        assert (changes(run), dump()) == ([], before)

    def test_without_its_marker_is_refused(self, tree: Tree, index: Index) -> None:
        """A disk that is not mounted looks like an empty directory."""
        tree.put("7/a")
        index("sync")
        before = dump()
        tree.path.rename(tree.path.with_name("elsewhere"))
        tree.path.mkdir()

        run = index("full")

        assert run.state == "refused"
        assert run.refusal == (
            "The root “documents” is not there: its marker “.runsheet-root” is missing. Nothing is concluded from that; "
            "see that it is mounted, then look again."
        )
        assert dump() == before

    def test_with_the_marker_of_another_is_refused(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        index("sync")
        (tree.path / ".runsheet-root").write_text("another")

        run = index("full")

        assert run.state == "refused"
        assert "its marker is that of another root" in run.refusal

    def test_whose_marker_is_a_link_is_refused(self, tree: Tree, index: Index, tmp_path: Path) -> None:
        index("sync")
        (tree.path / ".runsheet-root").rename(tmp_path / "marker")
        tree.link(".runsheet-root", str(tmp_path / "marker"))

        assert index("full").state == "refused"

    def test_whose_marker_is_a_directory_is_refused(self, tree: Tree, index: Index) -> None:
        index("sync")
        tree.remove(".runsheet-root")
        (tree.path / ".runsheet-root").mkdir()
        opened = len(list(Path("/proc/self/fd").iterdir()))

        run = index("full")

        assert (run.state, "cannot be read: Is a directory" in run.refusal) == ("refused", True)
        assert len(list(Path("/proc/self/fd").iterdir())) == opened

    def test_whose_marker_is_empty_is_refused(self, tree: Tree, index: Index) -> None:
        """A full disk takes the name and not the text; by nothing no disk is known from another."""
        tree.put(".runsheet-root", text="")

        run = index("full")

        assert (run.state, "its marker “.runsheet-root” is empty (delete it" in run.refusal) == ("refused", True)

    def test_whose_marker_is_no_text_is_known_by_it(self, tree: Tree, index: Index) -> None:
        (tree.path / ".runsheet-root").write_bytes(b"\0\xff\x80" * 100)

        assert [index("full").state, index("full").state] == ["done", "done"]

    def test_that_goes_away_under_way_is_refused(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        before = dump()
        listed = DirectoryWalk.walk

        def goes_away(*a: Any, **k: Any) -> Iterator[Any]:
            yield from listed(*a, **k)
            tree.path.rename(tree.path.with_name("elsewhere"))
            tree.path.mkdir()

        monkeypatch.setattr(DirectoryWalk, "walk", goes_away)

        assert index("full").state == "refused"
        assert dump() == before

    def test_is_marked_when_it_is_met_for_the_first_time(self, tree: Tree, index: Index) -> None:
        index("audit")

        assert (tree.path / ".runsheet-root").read_text().strip() == StorageRoot.objects.get().marker != ""

    def test_keeps_its_marker_when_the_database_is_made_anew(self, tree: Tree, index: Index) -> None:
        index("audit")
        marker = (tree.path / ".runsheet-root").read_text()
        StorageRoot.objects.update(marker="")

        index("audit")

        assert (tree.path / ".runsheet-root").read_text() == marker
        assert StorageRoot.objects.get().marker == marker.strip()

    def test_that_cannot_be_marked_is_refused(self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any, **__: Any) -> int:
            raise OSError(28, "No space left on device")

        opened = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, flags, *a, **k: full() if flags & os.O_CREAT else opened(path, flags, *a, **k),
        )

        run = index("sync")

        assert run.state == "refused"
        assert "cannot be marked as a root: No space left on device." in run.refusal


class TestBrake:
    def test_refuses_when_more_than_a_tenth_and_more_than_a_hundred_are_missing(self, tree: Tree, index: Index) -> None:
        tree.fill("7", 101)
        tree.fill("8", 200)
        index("sync")
        before = dump()
        tree.remove("7")

        run = index("full")

        assert run.state == "refused"
        assert run.refusal == (
            "102 of 303 are missing, which is more than 10 % and more than 100. Nothing was changed. See that all of it is "
            "mounted. If they were taken away on purpose, let the run go on with “allow missing” at 102."
        )
        assert run.missing_count == 102
        assert dump() == before
        assert len([1 for action, _ in changes(run) if action == "delete"]) == 102, "what it would do is told"

    def test_lets_a_hundred_go_whatever_part_that_is(self, tree: Tree, index: Index) -> None:
        tree.fill("7", 99)
        index("sync")
        tree.remove("7")

        assert index("full").state == "done"

    def test_lets_a_tenth_go(self, tree: Tree, index: Index) -> None:
        tree.fill("7/d", 149)
        tree.fill("8/d", 1360)
        index("sync")
        tree.remove("7/d")

        assert index("full").state == "done"

    def test_is_let_go_by_the_number(self, tree: Tree, index: Index) -> None:
        tree.fill("7/d", 120)
        index("sync")
        tree.remove("7/d")

        assert [index("full", allow_missing=120).state, index("full", allow_missing=121).state] == ["refused", "done"]
        assert sorted(states()) == ["7/"]

    def test_counts_what_was_renamed_as_there(self, tree: Tree, index: Index) -> None:
        for number in range(150):
            tree.put(f"7/d/{number}", text="x" * number, at_ns=1_000_000_001 + number)
        index("sync")
        tree.move("7/d", "7/e")

        assert index("full").state == "done"

    def test_knows_only_what_the_run_is_about(self, tree: Tree, index: Index) -> None:
        tree.fill("7/d", 120)
        tree.fill("8/d", 1_500)
        index("sync")
        tree.remove("7/d")

        assert index("full", user_id=7).state == "refused"

    def test_brakes_an_audit_too(self, tree: Tree, index: Index) -> None:
        tree.fill("7/d", 120)
        index("sync")
        tree.remove("7/d")

        assert index("audit").state == "refused"

    def test_brakes_what_only_reads_changed_directories(self, tree: Tree, index: Index) -> None:
        tree.fill("7/d", 120)
        index("sync")
        tree.remove("7/d")

        assert index("sync", incremental=True).state == "refused"
