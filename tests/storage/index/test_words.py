"""Words that are laid down: which one holds, and which rows are asked for because of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage.index import words
from storage.index.entries import Anomaly, Entry, Gone
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.storage.telling import root_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db: None) -> IndexRun:
    return IndexRun.objects.create(root=root_of(), mode="sync", incremental=True)


def file(key: str, size: int = 1) -> Entry:
    return Entry(key, size, 1, f"id:{key}", key.rpartition("/")[2].upper())


def directory(key: str) -> Entry:
    return Entry(f"{key}/", 0, 0, f"id:{key}", "")


def holds(run: IndexRun, *told: words.Told, after: str = "") -> list[str]:
    words.lay_down(run, told)
    return [each.key for each in words.settled(run, after=after)]


class TestSettled:
    def test_is_told_as_it_was_laid_down(self, run: IndexRun) -> None:
        odd = Anomaly("b\\c\t\n", "name", "It is\todd\\.", ("b/",))
        told: list[words.Told] = [Entry("a\\b\t\n", 2**40, -1, "id:\\1 rev:2", "A\\B\t\n"), odd]
        words.lay_down(run, told)

        assert list(words.settled(run, after="")) == told

    @pytest.mark.parametrize(
        ("told", "left"),
        [
            ([file("a"), file("a", size=2)], ["a"]),
            ([file("a"), Gone("a")], []),
            ([Gone("a"), file("a")], ["a"]),
            ([directory("a"), file("a/b"), Gone("a")], []),
            ([directory("a"), file("a/b"), Gone("a"), directory("a")], ["a/"]),
            ([directory("a"), file("a/b"), Gone("a/"), directory("a"), file("a/c")], ["a/", "a/c"]),
            ([directory("a"), file("a/b"), directory("a")], ["a/", "a/b"]),
            ([directory("a"), file("a/b"), file("a")], ["a"]),
            ([file("a"), directory("a"), file("a/b")], ["a/", "a/b"]),
            ([directory("a"), file("a/b"), file("a"), directory("a")], ["a/"]),
            ([file("a-b"), file("a.b"), directory("a"), file("a/b"), file("a0"), Gone("a")], ["a-b", "a.b", "a0"]),
            ([file("a/b/c"), file("a/b-c/d"), Gone("a/b"), file("a/b-c/e")], ["a/b-c/d", "a/b-c/e"]),
            ([file("a"), file("b"), Gone(""), file("c")], ["c"]),
            ([directory("a"), Anomaly("a", "name", "Odd.")], ["a", "a/"]),
            ([file("a"), Anomaly("a", "name", "Odd.")], ["a", "a"]),
            ([directory("a"), Anomaly("a/b", "name", "Odd."), Gone("a")], []),
        ],
    )
    def test_is_the_last_word(self, run: IndexRun, told: list[words.Told], left: list[str]) -> None:
        assert holds(run, *told) == left

    @pytest.mark.parametrize("batch", [1, 2, 3, 100])
    def test_goes_on_behind_any_key(self, run: IndexRun, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
        monkeypatch.setattr(words, "BATCH", batch)
        told: list[words.Told] = [
            directory("a"), file("a/x"), file("a-b"), file("a-b/c"), Gone("a-b"), directory("a-b"), file("a-b/d"), file("a"),
            directory("b"), file("b/x"), file("b/y"), Gone("b"), file("b/y"), Gone("b/z"), file("b/y-1"), file("b.c"),
        ]  # fmt: skip
        all_of_it = holds(run, *told)
        assert all_of_it == ["a", "a-b/", "a-b/d", "b.c", "b/y", "b/y-1"]

        keys = {each[0] for each in words._words(run, "")}
        for after in [*keys, "a-", "a/", "b/x/z", "zzz"]:
            assert holds(run, after=after) == [key for key in all_of_it if key > after], after


class TestPages:
    def test_are_read_by_the_index_once_they_are_counted(self, run: IndexRun) -> None:
        """Without that all that is left is sorted for each of them."""
        words.lay_down(run, [file(f"{number:06}") for number in range(20_000)])
        words.count_them()

        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {words.PAGE}", [run.pk, "000100", 0, 1_000])
            (plan,) = cursor.fetchone()[0]

        assert [node["Node Type"] for node in _nodes(plan["Plan"])] == ["Limit", "Index Scan"]


class TestTouched:
    @pytest.fixture
    def rows(self, run: IndexRun) -> None:
        keys = [
            "a", "a-", "a/", "a/b", "a/b-1", "a/b/", "a/b/1", "a/b/2", "a/b/3", "a/b/4", "a/b0", "a/c", "a0", "b/", "b/1", "c",
        ]  # fmt: skip
        another = StorageRoot.objects.create(name="another")
        for root in (run.root, another):
            StoredFile.objects.bulk_create([StoredFile(root=root, key=key, name=key) for key in keys])

    @pytest.mark.parametrize(
        ("told", "asked"),
        [
            ([], []),
            ([file("nothing"), Gone("nothing/there")], []),
            ([directory("a")], ["a", "a/"]),
            ([file("c")], ["c"]),
            ([Gone("a/b")], ["a/b", "a/b/", "a/b/1", "a/b/2", "a/b/3", "a/b/4"]),
            ([file("a/b")], ["a/b", "a/b/", "a/b/1", "a/b/2", "a/b/3", "a/b/4"]),
            ([Gone("a/b"), file("a/b-1"), file("a/b/3")], ["a/b", "a/b-1", "a/b/", "a/b/1", "a/b/2", "a/b/3", "a/b/4"]),
            (
                [Gone("a/b"), Gone("b"), directory("b")],
                ["a/b", "a/b/", "a/b/1", "a/b/2", "a/b/3", "a/b/4", "b/", "b/1"],
            ),
            ([Anomaly("c", "name", "Odd.")], []),
        ],
    )
    def test_are_those_about_which_something_is_said(
        self, run: IndexRun, rows: None, told: list[words.Told], asked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(words, "FIRST", 2)
        monkeypatch.setattr(words, "STRETCHES", 2)
        words.lay_down(run, told)

        assert [row[0] for row in words.touched(run, after="")] == asked
        for after in ("a", "a/b", "a/b-1", "a/b/", "a/b/2", "a/b/4", "b/"):
            assert [row[0] for row in words.touched(run, after=after)] == [key for key in asked if key > after]

    def test_are_all_where_the_place_was_emptied(self, run: IndexRun, rows: None) -> None:
        words.lay_down(run, [Gone(""), file("x")])

        assert len(list(words.touched(run, after=""))) == 16
        assert [row[0] for row in words.touched(run, after="b/")] == ["b/1", "c"]

    def test_reads_no_other_row(self, run: IndexRun) -> None:
        """What PostgreSQL says that it has read of the rows, of 20,000."""
        StoredFile.objects.bulk_create(
            [StoredFile(root=run.root, key=f"lease {n // 100:03}/{n:05}", name="x") for n in range(20_000)]
        )
        told = [file(f"lease {n:03}/{n * 100 + 7:05}", size=9) for n in range(200)]
        words.lay_down(run, [*told, Gone("lease 007")])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE storage_storedfile")
        with CaptureQueriesContext(connection) as asked:
            found = list(words.touched(run, after=""))

        assert len(found) == 299
        read = sum(_rows_read(each["sql"]) for each in asked if "storage_storedfile" in each["sql"])
        assert read <= 500  # 480 on PostgreSQL 15, 299 on 18


def _rows_read(statement: str) -> int:
    """Of the table of files, those that were discarded among them."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}", [])
        (plan,) = json.loads(json.dumps(cursor.fetchone()[0]))
    return sum(
        int((each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"])
        for each in _nodes(plan["Plan"])
        if each.get("Relation Name") == "storage_storedfile"
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
