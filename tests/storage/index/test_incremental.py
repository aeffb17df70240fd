"""Reading only directories that have changed comes to what a whole run comes to, but for edits in place."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage.index.walking import DirectoryWalk
from storage.models import StorageRoot, StoredFile
from tests.storage.conftest import Index, changes, in_batches, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(tree: Tree, index: Index) -> Tree:
    """Some directories that the index knows, and that have not been changed for long."""
    tree.put("7/a/1", "7/a/2", "7/a/deep/er/x", "7/b/1", "8/c/1", "8/c.txt", "8/c0")
    tree.settle()
    index("full")
    return tree


class TestIncremental:
    def test_finds_what_was_added_moved_and_taken_away(self, known: Tree, index: Index) -> None:
        known.put("7/a/new", "8/d/e/f", "9/first")
        known.remove("7/b", "8/c/1")
        known.move("7/a/deep", "8/deep")

        index("full", incremental=True)

        assert rows() == known.oracle()
        assert changes(index("full")) == [("anomaly", "9/")]

    def test_finds_nothing_where_nothing_happened(self, known: Tree, index: Index) -> None:
        run = index("full", incremental=True)

        assert changes(run) == []

    def test_reads_only_what_has_changed(self, known: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        directory = DirectoryWalk.directory
        monkeypatch.setattr(
            DirectoryWalk,
            "directory",
            lambda self, key: read.append(key) or directory(self, key),  # type: ignore[func-returns-value]
        )
        known.put("7/a/deep/new")

        index("sync", incremental=True)

        assert read == ["", "7/a/deep/"]

    def test_reads_again_what_had_changed_just_before_it_was_read(self, tree: Tree, index: Index) -> None:
        """Its time may be the same after another change within the same tick of the clock."""
        tree.put("7/a")
        index("full")
        same = (tree.path / "7").stat().st_mtime_ns
        tree.put("7/b")
        StoredFile.objects.filter(key="7/").update(modified_ns=(tree.path / "7").stat().st_mtime_ns)

        index("full", incremental=True)

        assert same
        assert "7/b" in states()

    def test_does_not_see_an_edit_in_place(self, known: Tree, index: Index) -> None:
        known.put("7/a/1", text="longer than before")

        assert changes(index("sync", incremental=True)) == []
        assert ("update", "7/a/1") in changes(index("sync"))

    def test_of_a_user_reads_nobody_elses(self, known: Tree, index: Index) -> None:
        known.put("7/a/new", "8/new")

        index("full", incremental=True, user_id=7)

        assert "7/a/new" in states()
        assert "8/new" not in states()

    def test_of_a_user_knows_that_the_directory_is_new_or_gone(self, known: Tree, index: Index) -> None:
        StoredFile.objects.filter(key__startswith="7/").delete()
        index("full", incremental=True, user_id=7)
        was_there = "7/a/1" in states()
        known.remove("7")

        index("full", incremental=True, user_id=7)

        assert was_there
        assert not [key for key in states() if key.startswith("7/")]

    def test_revives_what_was_missing(self, known: Tree, index: Index) -> None:
        known.move("7/b", "../away")
        index("sync", incremental=True)
        missing = states()["7/b/1"]
        known.move("../away", "7/b")

        index("sync", incremental=True)

        assert missing == "missing"
        assert rows() == known.oracle()

    def test_knows_rows_without_a_directory_above_them(self, known: Tree, index: Index) -> None:
        """As somebody leaves them who writes a row with its file, and none for the directories."""
        known.put("7/docs/4/1/deed")
        StoredFile.objects.create(root=StorageRoot.objects.get(), key="7/docs/4/1/deed", name="deed")

        index("full", incremental=True)

        assert rows() == known.oracle()

    def test_leaves_alone_what_became_a_link(self, known: Tree, index: Index) -> None:
        known.move("7/a", "../away")
        known.link("7/a", "../../away")

        run = index("full", incremental=True)

        assert states()["7/a/deep/er/x"] == "present"
        assert ("anomaly", "7/a") in changes(run)

    @pytest.mark.parametrize(
        "last", ["\U0010ffff", "\U0010ffff" * 3 + "z", "\U0010ffff" * 63], ids=["one", "some", "full"]
    )
    def test_knows_what_sorts_behind_all_else(self, known: Tree, index: Index, last: str) -> None:
        known.put(last, f"{last[:-1]}y/below", f"7/{last}")
        known.settle()
        index("full")

        assert {action for action, _ in changes(index("full", incremental=True))} <= {"anomaly"}

        known.remove(last, f"{last[:-1]}y")
        index("full", incremental=True)

        assert rows() == known.oracle()

    def test_in_slices_comes_to_the_same(self, known: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        in_batches(monkeypatch, 3)
        monkeypatch.setattr("storage.index.incremental.DIRECTORIES", 2)
        monkeypatch.setattr("statemachine.reactions.Run.is_time_up", property(lambda _: True))
        known.fill("7/new/er", 10)
        known.fill("8/new", 10)
        known.remove("7/a", "7/b")

        run = index("full", incremental=True)

        assert rows() == known.oracle()
        assert len(changes(run)) == len(set(changes(run)))

    def test_asks_little_where_nothing_happened(self, known: Tree, index: Index) -> None:
        known.fill("8/c", 200)
        index("full")
        (known.path / "8/c").touch()
        known.settle()
        index("full")

        with CaptureQueriesContext(connection) as asked:
            index("audit", incremental=True)

        assert len(asked) < 45
