"""What each mode does with files that are new, changed, gone and there again."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from storage.models import IndexChange, StoredFile
from tests.storage.conftest import Index, anomalies, changes, dump, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


class TestSync:
    def test_makes_rows_of_what_lies_there(self, tree: Tree, index: Index) -> None:
        tree.put("7/a.pdf", "7/deeds/b.txt", "8/c")

        run = index("sync")

        assert run.state == "done", run.failure_message or run.refusal
        assert rows() == tree.oracle()
        assert run.counts["records_created"] == 6
        assert run.counts["users_scanned"] == 2

    def test_knows_owner_name_and_type(self, tree: Tree, index: Index) -> None:
        tree.put("7/deeds/Deed of 1902.PDF")

        index("sync")

        row = StoredFile.objects.get(is_directory=False)
        assert (row.owner_id, row.name, row.content_type) == (7, "Deed of 1902.PDF", "application/pdf")
        assert StoredFile.objects.get(key="7/deeds/").name == "deeds"

    def test_done_twice_does_nothing(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/a.b/c", "7/a-b", "7/ä/x", "8/line\nfeed\\and\ttab", "7/z/y")
        index("sync")
        before = dump()

        run = index("sync")

        assert changes(run) == []
        assert dump() == before
        assert run.counts["unchanged"] == len(before)

    def test_marks_what_is_gone_and_deletes_nothing(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")

        run = index("sync")

        assert states()["7/b"] == "missing"
        assert StoredFile.objects.get(key="7/b").missing_since is not None
        assert run.counts["records_missed"] == 1
        assert run.counts["orphaned_in_db"] == 1

    def test_finds_again_what_is_back_under_the_same_row(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        row = StoredFile.objects.get(key="7/b").pk
        tree.remove("7/b")
        index("sync")
        tree.put("7/b", text="another text")

        run = index("sync")

        assert run.counts["records_revived"] == 1
        found = StoredFile.objects.get(key="7/b")
        assert (found.pk, found.state, found.missing_since, found.size) == (row, "present", None, 12)

    def test_says_once_that_something_is_missing(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        index("sync")

        assert changes(index("sync")) == []

    def test_notices_an_edit_in_place_of_the_same_size(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="old")
        index("sync")
        tree.put("7/a", text="new")

        run = index("sync")

        assert ("update", "7/a") in changes(run)
        assert rows() == tree.oracle()

    def test_notices_by_checksum_what_kept_size_and_time(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="old", at_ns=1_000)
        index("sync", checksums=True)
        before = StoredFile.objects.get(key="7/a").sha256
        tree.put("7/a", text="new", at_ns=1_000)

        unnoticed, noticed = index("sync"), index("sync", checksums=True)

        assert ("update", "7/a") not in changes(unnoticed)
        assert ("update", "7/a") in changes(noticed)
        assert StoredFile.objects.get(key="7/a").sha256 != before

    def test_forgets_a_checksum_that_is_no_longer_true(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="old")
        index("sync", checksums=True)
        tree.put("7/a", text="newer")

        index("sync")

        assert StoredFile.objects.get(key="7/a").sha256 is None

    def test_computes_a_checksum_once(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        index("sync", checksums=True)

        assert changes(index("sync", checksums=True)) == []

    def test_leaves_what_is_in_quarantine(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", "7/c")
        index("sync")
        StoredFile.objects.filter(key__in=["7/a", "7/b"]).update(state="quarantined")
        tree.remove("7/b")
        tree.put("7/a", text="changed")

        index("full")

        assert states() == {"7/": "present", "7/a": "quarantined", "7/b": "quarantined", "7/c": "present"}

    def test_knows_a_file_that_takes_the_place_of_a_directory(self, tree: Tree, index: Index) -> None:
        tree.put("7/a/b")
        index("sync")
        tree.remove("7/a")
        tree.put("7/a")

        index("full")

        assert rows() == tree.oracle()


class TestAudit:
    def test_says_what_it_sees_and_changes_nothing(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/a")
        tree.put("7/c")
        before = dump()

        run = index("audit")

        assert run.state == "planned"
        assert dump() == before
        assert changes(run) == [("update", "7/"), ("miss", "7/a"), ("create", "7/c")]


class TestClean:
    def test_deletes_what_is_missing_for_longer_than_the_grace(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        tree.put("7/new")

        run = index("clean")

        assert run.counts["records_deleted"] == 1
        assert sorted(states()) == ["7/", "7/a"], "and makes no row"

    def test_marks_first_what_has_a_grace(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")

        first, second = index("clean", grace=timedelta(days=1)), index("clean", grace=timedelta(days=1))

        assert states()["7/b"] == "missing"
        assert (first.counts["records_missed"], first.counts["records_skipped"]) == (1, 1)
        assert changes(second) == [("skip", "7/b")]
        assert second.counts["records_skipped"] == 1

    def test_deletes_after_the_grace(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        index("sync")
        StoredFile.objects.filter(key="7/b").update(missing_since="2020-01-01T00:00Z")

        index("clean", grace=timedelta(days=1))

        assert "7/b" not in states()

    def test_neither_revives_nor_updates(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        index("sync")
        tree.put("7/a", text="changed")
        before = dump()

        index("clean")

        assert dump() == before


class TestFull:
    def test_brings_the_rows_up_to_date_both_ways(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", "7/dir/c", text="one")
        index("sync")
        tree.remove("7/b", "7/dir")
        tree.put("7/a", "7/n/m", text="other")

        run = index("full")

        assert rows() == tree.oracle()
        assert changes(index("full")) == []
        assert run.counts["records_deleted"] == 3


class TestDryRun:
    @pytest.mark.parametrize("mode", ["sync", "clean", "full"])
    def test_has_the_figures_and_the_plan_of_the_real_run(self, tree: Tree, index: Index, mode: str) -> None:
        tree.put("7/a", "7/b", "8/c", "8/d/e")
        index("sync")
        tree.remove("7/b", "8/d")
        tree.put("7/a", text="changed")
        tree.put("8/new")
        before = dump()

        dry = index(mode, dry_run=True, force=False)
        unchanged = dump() == before
        real = index(mode)

        assert (dry.state, unchanged) == ("planned", True)
        assert changes(dry) == changes(real)
        assert _figures(dry.counts) == _figures(real.counts)


class TestScope:
    def test_of_a_user_leaves_all_others_alone(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "8/b", "70/c")
        index("sync")
        tree.remove("7/a", "8/b", "70/c")
        tree.put("7/new", "8/new")

        run = index("full", user_id=7)

        assert {key for _, key in changes(run)} <= {"7/", "7/a", "7/new"}
        assert sorted(states()) == ["7/", "7/new", "70/", "70/c", "8/", "8/b"]

    def test_of_a_user_without_files_is_empty(self, tree: Tree, index: Index) -> None:
        tree.put("8/b")
        index("sync")

        run = index("full", user_id=7)

        assert (run.state, changes(run)) == ("done", [])

    def test_of_a_user_whose_directory_went_takes_its_rows(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", "8/b")
        index("sync")
        tree.remove("7")

        index("full", user_id=7)

        assert sorted(states()) == ["8/", "8/b"]


class TestOwners:
    def test_that_are_unknown_are_told_once_and_their_files_kept(self, tree: Tree, index: Index) -> None:
        tree.put("99/a", "99/b", "shared/c", "007/d")

        run = index("sync")

        assert anomalies(run) == {"99/": "unknown_owner", "shared/": "unknown_owner", "007/": "unknown_owner"}
        assert rows() == tree.oracle()
        assert not StoredFile.objects.filter(owner__isnull=False).exists()

    def test_that_come_later_get_what_is_theirs(self, tree: Tree, index: Index) -> None:
        tree.put("99/a")
        index("sync")
        User.objects.create(pk=99, username="late")

        index("sync")

        assert set(StoredFile.objects.values_list("owner_id", flat=True)) == {99}

    def test_are_not_asked_for_beside_directories_of_users(self, tree: Tree, index: Index) -> None:
        tree.put("7", "7.txt", "8/a")

        run = index("sync")

        assert anomalies(run) == {"7": "unowned", "7.txt": "unowned"}
        assert StoredFile.objects.get(key="8/a").owner_id == 8

    def test_are_nobody_where_the_root_has_none(self, tree: Tree, index: Index, settings: object) -> None:
        settings.STORAGE_ROOTS["documents"]["owned"] = False  # type: ignore[attr-defined]
        tree.put("7/a")

        run = index("sync")

        assert anomalies(run) == {}
        assert StoredFile.objects.get(key="7/a").owner_id is None


class TestChanges:
    def test_hold_the_row_as_it_was(self, tree: Tree, index: Index) -> None:
        tree.put("7/a", text="four")
        index("sync")
        tree.put("7/a", text="longer")
        row = StoredFile.objects.get(key="7/a")

        run = index("sync")

        change = IndexChange.objects.get(run=run, key="7/a")
        assert change.before is not None
        assert (change.file_id, change.before["size"], change.size) == (row.pk, 4, 6)
        assert change.before["key"] == "7/a"


def _figures(counts: dict[str, object]) -> dict[str, object]:
    return {name: count for name, count in counts.items() if name not in {"seconds", "left"}}
