"""Cases of the table in docs/storage.md that are no other file's: what is empty, what is stale, and the figures."""

from dataclasses import fields
from pathlib import Path

import pytest

from storage.index.figures import IndexSyncStats
from storage.models import IndexRun, StoredFile
from storage.services import RunReport
from tests.storage.conftest import Index, anomalies, changes, rows
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


class TestEmpty:
    def test_root_is_in_sync(self, tree: Tree, index: Index) -> None:
        report = RunReport.of(index("full"))

        assert (report.state, report.in_sync, report.stats.files_on_disk) == ("done", True, 0)
        assert rows() == {}

    def test_directory_is_a_row(self, tree: Tree, index: Index) -> None:
        (tree.path / "7" / "empty").mkdir(parents=True)

        index("sync")

        assert sorted(rows()) == ["7/", "7/empty/"]
        assert rows() == tree.oracle()

    def test_file_is_a_row_of_no_bytes(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="")

        run = index("sync")

        assert StoredFile.objects.get(key="7/a").size == 0
        assert (run.counts["files_on_disk"], run.counts["bytes"]) == (1, 0)


class TestStale:
    def test_size_is_updated(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="short", at_ns=1_000_000_000)
        index("sync")
        tree.put("7/a", text="longer than it was", at_ns=1_000_000_000)

        run = index("sync")

        assert changes(run) == [("update", "7/a")]
        assert StoredFile.objects.get(key="7/a").size == len("longer than it was")

    def test_type_is_updated(self, tree: Tree, index: Index) -> None:
        """Of what was indexed by a version that knew of fewer types; whoever looks thoroughly finds it."""
        tree.put("7/a.pdf")
        index("sync")
        index("sync", checksums=True)
        StoredFile.objects.filter(key="7/a.pdf").update(content_type="")

        run = index("sync", checksums=True)

        assert changes(run) == [("update", "7/a.pdf")]
        assert StoredFile.objects.get(key="7/a.pdf").content_type == "application/pdf"


class TestFigures:
    @pytest.fixture
    def run(self, tree: Tree, index: Index) -> IndexRun:
        """Of everything something."""
        tree.put("7/a", "7/b", "7/c", "8/d", text="four")
        index("sync")
        tree.put("7/a", text="another")
        tree.put("7/new")
        tree.remove("7/b")
        Path(tree.path, "8/link").symlink_to("nowhere")
        return index("full")

    def test_are_all_there(self, run: IndexRun) -> None:
        stats = IndexSyncStats.of(run.counts)

        assert {each.name for each in fields(stats)} == set(RunReport.of(run).document["stats"])
        assert (stats.users_scanned, stats.files_on_disk, stats.dirs_scanned, stats.files_in_db) == (2, 4, 2, 6)
        assert (stats.missing_in_db, stats.orphaned_in_db) == (1, 1)
        assert (stats.records_created, stats.records_updated, stats.records_deleted) == (1, 3, 1), (
            "with two directories"
        )
        assert (stats.records_skipped, stats.protected_shared, stats.records_missed, stats.renamed) == (0, 0, 0, 0)
        assert (stats.bytes, stats.anomalies, stats.left) == (len("another") + 3 * len("four"), 1, 0)

    def test_count_what_could_not_be_read_as_errors(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a/b/c")
        monkeypatch.setattr("storage.index.walking.DEEPEST", 1)

        run = index("sync")

        assert IndexSyncStats.of(run.counts).errors == 1
        assert len(anomalies(run)) == 1
        assert all(run.changes.filter(action="anomaly").values_list("detail", flat=True))

    def test_tell_how_long_it_took(self, run: IndexRun) -> None:
        seconds = IndexSyncStats.of(run.counts).seconds

        assert seconds
        assert all(0 <= each < 60 for each in seconds.values())
