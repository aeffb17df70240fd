"""The walk by itself: its order, where it goes on, and what it takes."""

from pathlib import Path

import pytest

from storage.errors import RootNotThere
from storage.index.entries import Entry
from storage.index.walking import DirectoryWalk
from tests.storage.trees import Tree

MANY = 200_000


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def keys(tree: Tree, **said: str) -> list[str]:
    return [each.key for each in DirectoryWalk(tree.path).walk(**said)]


class TestOrder:
    def test_is_that_of_the_bytes(self, tree: Tree) -> None:
        tree.put("a/b", "a.b", "a-b", "a0", "B", "ä", "z/z", "z!", "\U0001f600", "\uffee")

        found = keys(tree)

        assert found == sorted(found, key=str.encode)
        assert found == sorted(tree.oracle(), key=str.encode)

    def test_goes_on_behind_any_key(self, tree: Tree) -> None:
        tree.put("a/b/c", "a/b.c", "a.b", "a/d/e/f", "b")
        whole = keys(tree)

        for place, key in enumerate(whole):
            assert keys(tree, after=key) == whole[place + 1 :]

    def test_goes_on_behind_a_key_that_went(self, tree: Tree) -> None:
        tree.put("a/b", "a/d", "c")

        assert keys(tree, after="a/c/x/y") == ["a/d", "c"]
        assert keys(tree, after="a/") == ["a/b", "a/d", "c"]

    def test_is_of_what_lies_below_a_prefix(self, tree: Tree) -> None:
        tree.put("7/a", "7/b/c", "70/d")

        assert keys(tree, prefix="7/") == ["7/", "7/a", "7/b/", "7/b/c"]
        assert keys(tree, prefix="7/", after="7/a") == ["7/b/", "7/b/c"]
        assert keys(tree, prefix="8/") == []


class TestLook:
    def test_tells_what_lies_there(self, tree: Tree) -> None:
        tree.put("7/a", text="four")
        walk = DirectoryWalk(tree.path)

        found = walk.look("7/a")

        assert isinstance(found, Entry)
        assert (found.key, found.size) == ("7/a", 4)
        assert [walk.look(key) for key in ("7/b", "8/a", "7/a/b")] == [None, None, None]

    def test_tells_a_file_from_a_directory(self, tree: Tree) -> None:
        tree.put("7/a", "7/d/x")
        walk = DirectoryWalk(tree.path)

        found = [walk.look("7/a/"), walk.look("7/d")]

        assert not any(isinstance(each, Entry) for each in found)

    def test_follows_no_link_on_the_way(self, tree: Tree) -> None:
        tree.put("7/a")
        tree.link("8", "7")

        assert not isinstance(DirectoryWalk(tree.path).look("8/a"), Entry)
        assert DirectoryWalk(tree.path).digest("8/a") is None


class TestDigest:
    def test_of_what_cannot_be_opened_is_none(self, tree: Tree) -> None:
        tree.put("a")
        walk = DirectoryWalk(tree.path)

        assert walk.digest("a") == "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"
        assert walk.digest("b") is None
        tree.link("c", "a")
        assert walk.digest("c") is None


class TestRoot:
    def test_may_be_reached_by_a_link(self, tree: Tree, tmp_path: Path) -> None:
        tree.put("root/a")
        tree.link("by", "root")

        assert [each.key for each in DirectoryWalk(tmp_path / "by").walk()] == ["a"]

    def test_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(RootNotThere, match="is not there"):
            list(DirectoryWalk(tmp_path / "nowhere").walk())


@pytest.mark.long
def test_a_directory_of_200_000_entries_is_walked_in_order(tree: Tree) -> None:
    tree.fill("7", MANY)
    before, count = "", 0
    for each in DirectoryWalk(tree.path).walk():
        assert before < each.key
        before, count = each.key, count + 1

    assert count == MANY + 1
