"""What old runs have planned goes; the last ones stay, and what can still be undone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django_fsm import can_proceed

from storage import forgetting
from storage.errors import LaterRunStands
from storage.models import IndexChange, IndexRun, ListedEntry, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import Index
from tests.storage.trees import Tree


@pytest.fixture(autouse=True)
def kept(settings: Any, tree: Tree) -> None:
    settings.STORAGE_RUNS_KEPT_DAYS = 90


def later(days: int = 91) -> None:
    IndexRun.objects.update(entered_at=F("entered_at") - timedelta(days=days))


def changes_of(*runs: IndexRun) -> list[int]:
    return [run.changes.count() for run in runs]


@pytest.fixture
def runs(tree: Tree, index: Index) -> list[IndexRun]:
    """Of half a year: the first sync, an audit, a second sync, and an audit that comes last."""
    tree.put("7/a.pdf", "7/b.pdf")
    first = index("sync")
    tree.put("7/c.pdf")
    audit = index("audit")
    second = index("sync")
    tree.put("7/d.pdf")
    last = index("audit")
    later()
    return [first, audit, second, last]


class TestForgetting:
    def test_takes_what_is_old_and_leaves_the_last_of_all(self, runs: list[IndexRun]) -> None:
        assert forgetting.forget() == 2

        assert [bool(count) for count in changes_of(*runs)] == [False, False, True, True]

    def test_leaves_what_is_not_old_yet(self, runs: list[IndexRun]) -> None:
        later(-2)

        assert forgetting.forget() == 0
        assert all(changes_of(*runs))

    def test_does_nothing_where_the_settings_say_so(self, runs: list[IndexRun], settings: Any) -> None:
        settings.STORAGE_RUNS_KEPT_DAYS = 0

        assert forgetting.forget() == 0
        assert all(changes_of(*runs))

    def test_leaves_a_run_that_a_row_names(self, runs: list[IndexRun]) -> None:
        forgetting.forget()

        first, _, second, last = runs
        assert set(IndexRun.objects.all()) == {first, second, last}
        assert set(StoredFile.objects.values_list("changed_by", flat=True)) == {first.pk, second.pk}

    def test_takes_it_when_no_row_names_it_any_more(self, runs: list[IndexRun]) -> None:
        forgetting.forget()
        StoredFile.objects.update(changed_by=runs[2])

        forgetting.forget()

        assert not IndexRun.objects.filter(pk=runs[0].pk).exists()

    def test_lets_the_last_one_be_undone(self, runs: list[IndexRun]) -> None:
        forgetting.forget()
        service = IndexSyncService()

        assert service.work(run_id=service.undo(run_id=runs[2].pk).pk).state == "undone"
        assert not StoredFile.objects.filter(key="7/c.pdf").exists()

    def test_lets_nobody_undo_what_is_forgotten(self, runs: list[IndexRun]) -> None:
        forgetting.forget()
        first = IndexRun.objects.get(pk=runs[0].pk)

        assert not can_proceed(first.undo)
        with pytest.raises(LaterRunStands):
            IndexSyncService().undo(run_id=first.pk)

    def test_lets_nobody_apply_a_plan_that_is_forgotten(self, runs: list[IndexRun]) -> None:
        IndexRun.objects.filter(pk=runs[3].pk).update(forgotten_at=runs[3].created_at)

        assert not can_proceed(IndexRun.objects.get(pk=runs[3].pk).apply)

    def test_leaves_a_run_that_is_under_way(self, runs: list[IndexRun], index: Index) -> None:
        IndexRun.objects.filter(pk=runs[1].pk).update(state="applying")

        forgetting.forget()

        assert changes_of(runs[1]) != [0]

    def test_keeps_the_last_whole_one_by_which_the_next_one_is_due(self, tree: Tree, index: Index) -> None:
        whole = index("sync")
        tree.put("7/a.pdf")
        index("sync", incremental=True)
        index("audit")
        later()
        forgetting.forget()

        assert IndexRun.objects.filter(pk=whole.pk, forgotten_at=None).exists()

    def test_keeps_the_last_of_each_root(self, runs: list[IndexRun], settings: Any) -> None:
        other = IndexRun.objects.create(root=StorageRoot.objects.create(name="maps"), state="refused")
        IndexRun.objects.filter(pk=other.pk).update(entered_at=runs[0].created_at - timedelta(days=900))
        forgetting.forget()

        assert IndexRun.objects.filter(pk=other.pk, forgotten_at=None).exists()

    def test_takes_what_a_stopped_run_has_listed(self, runs: list[IndexRun]) -> None:
        ListedEntry.objects.create(run=runs[1], key="7/a.pdf", size=1, modified_ns=1, etag="e")

        forgetting.forget()

        assert not ListedEntry.objects.exists()


class TestForgetRoot:
    def test_takes_all_that_was_known_of_it_and_nothing_else(self, runs: list[IndexRun], tree: Tree) -> None:
        root = runs[0].root
        other = StorageRoot.objects.create(name="other")
        StoredFile.objects.create(root=other, key="a", name="a")

        assert forgetting.forget_root(root, is_time_up=lambda: False)

        assert list(StorageRoot.objects.values_list("name", flat=True)) == ["other"]
        assert list(StoredFile.objects.values_list("root", flat=True)) == [other.pk]
        assert not IndexRun.objects.exists()
        assert not IndexChange.objects.exists()

    @pytest.mark.parametrize("pieces", [1, 2, 3, 4, 8])
    def test_goes_on_the_next_time(self, runs: list[IndexRun], monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
        monkeypatch.setattr(forgetting, "AT_ONCE", 1)
        left = iter([False] * pieces)

        assert not forgetting.forget_root(runs[0].root, is_time_up=lambda: next(left, True))
        assert forgetting.forget_root(runs[0].root, is_time_up=lambda: False)

        assert not StorageRoot.objects.exists()
        assert not StoredFile.objects.exists()


class TestPieces:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(forgetting, "AT_ONCE", 2)

    def test_are_taken_one_after_the_other(self, tree: Tree, index: Index) -> None:
        tree.put(*[f"7/{number}.pdf" for number in range(9)])
        audit = index("audit")
        index("sync")
        later()

        forgetting.forget()

        assert not IndexChange.objects.filter(run=audit).exists()

    def test_are_left_to_the_next_time_when_this_one_is_over(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put(*[f"7/{number}.pdf" for number in range(9)])
        audits = [index("audit"), index("audit")]
        index("sync")
        later()
        with monkeypatch.context() as short:
            short.setattr(forgetting, "FORGETS_FOR_S", -1)
            forgetting.forget()
        begun = changes_of(*audits)
        forgetting.forget()

        assert begun == [8, 10]
        assert not IndexRun.objects.filter(pk__in=[each.pk for each in audits]).exists()
