"""When a row goes with its file to another place, and when that would be a guess."""

import pytest

from storage.models import StoredFile
from tests.storage.conftest import Index, changes, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db
WHOLE_S, EXACT = 1_700_000_000_000_000_000, 1_700_000_000_000_000_007


def ids() -> dict[str, int]:
    return dict(StoredFile.objects.filter(state="present").values_list("key", "pk"))


class TestRename:
    @pytest.mark.parametrize("mode", ["sync", "full"])
    def test_keeps_the_row(self, tree: Tree, index: Index, mode: str) -> None:
        tree.put("7/a.pdf", text="a", at_ns=EXACT)
        index("sync")
        row = ids()["7/a.pdf"]
        tree.move("7/a.pdf", "8/deeds/b.pdf")

        run = index(mode)

        moved = StoredFile.objects.get(key="8/deeds/b.pdf")
        assert (moved.pk, moved.owner_id, moved.name) == (row, 8, "b.pdf")
        assert (run.counts["renamed"], run.counts["records_missed"], run.counts["newly_missing"]) == (1, 0, 0)
        assert ("rename", "8/deeds/b.pdf") in changes(run)
        assert "7/a.pdf" not in states()
        assert run.changes.get(action="rename").detail == "7/a.pdf"
        assert run.counts.get("records_skipped", 0) == 0

    def test_of_a_directory_keeps_the_rows_of_what_is_in_it(self, tree: Tree, index: Index) -> None:
        tree.put("7/old/a", text="a", at_ns=EXACT)
        tree.put("7/old/b", text="bb", at_ns=EXACT + 1)
        index("sync")
        before = ids()
        tree.move("7/old", "7/new")

        index("full")

        after = ids()
        assert [after[f"7/new/{name}"] for name in ("", "a", "b")] == [
            before[f"7/old/{name}"] for name in ("", "a", "b")
        ]
        assert rows() == tree.oracle()

    def test_under_the_same_name_needs_no_exact_time(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="a", at_ns=WHOLE_S)
        index("sync")
        row = ids()["7/a"]
        tree.move("7/a", "8/a")

        index("full")

        assert ids()["8/a"] == row


class TestNoRename:
    """It is one that went and another that came."""

    def test_where_two_look_alike(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", text="same", at_ns=EXACT)
        index("sync")
        before = ids()
        tree.move("7/a", "7/c")
        tree.move("7/b", "7/d")

        index("full")

        assert not {before["7/a"], before["7/b"]} & set(ids().values())
        assert rows() == tree.oracle()

    @pytest.mark.parametrize(
        ("new", "at_ns", "text"),
        [("7/b", WHOLE_S, "text"), ("7/b.doc", EXACT, "text"), ("7/b", EXACT, "")],
        ids=["a time in whole seconds", "another ending", "nothing in it"],
    )
    def test_where_names_and_times_prove_too_little(
        self, tree: Tree, index: Index, new: str, at_ns: int, text: str
    ) -> None:
        tree.put("7/a", text=text, at_ns=at_ns)
        index("sync")
        row = ids()["7/a"]
        tree.move("7/a", new)

        index("full")

        assert ids()[new] != row

    def test_where_checksums_say_otherwise(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="one", at_ns=EXACT)
        index("sync", checksums=True)
        row = ids()["7/a"]
        tree.remove("7/a")
        tree.put("8/a", text="two", at_ns=EXACT)

        index("full", checksums=True)

        assert ids()["8/a"] != row

    def test_where_the_same_is_said_by_checksums_alone(self, tree: Tree, index: Index) -> None:
        """They are enough, whatever the names are."""
        tree.put("7/a", text="one", at_ns=WHOLE_S)
        index("sync", checksums=True)
        row = ids()["7/a"]
        tree.move("7/a", "7/b.pdf")

        index("full", checksums=True)

        assert ids()["7/b.pdf"] == row
