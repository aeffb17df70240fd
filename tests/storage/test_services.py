"""Starting, stopping, applying and undoing runs, and what becomes of one whose worker is killed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError
from django.db.models.functions import Now
from redis import Redis

from statemachine.errors import TransitionForbidden, TransitionRefused
from storage.errors import (
    LaterRunStands,
    ModeUnknown,
    NeedsForce,
    NotOverridden,
    RootBusy,
    RootUnknown,
    RunGone,
    UserUnknown,
)
from storage.models import IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService, RunReport
from tests.storage.conftest import Index, changes, dump, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


class TestStart:
    def test_refuses_a_mode_that_there_is_not(self, service: IndexSyncService) -> None:
        with pytest.raises(ModeUnknown, match=r"^There is no mode “scrub”\. It is audit, sync, clean or full\.$"):
            service.start(mode="scrub")

    def test_refuses_a_user_who_is_not_there(self, service: IndexSyncService) -> None:
        with pytest.raises(UserUnknown, match=r"^There is no user 4711\.$"):
            service.start(mode="audit", user_id=4711)

    def test_refuses_a_root_that_the_settings_do_not_know(self, service: IndexSyncService) -> None:
        with pytest.raises(RootUnknown, match=r"^There is no root “attic”\. Known are “documents”\.$"):
            service.start(mode="audit", root="attic")

    @pytest.mark.parametrize("mode", ["clean", "full"])
    def test_wants_force_for_what_deletes(self, service: IndexSyncService, mode: str) -> None:
        with pytest.raises(NeedsForce, match=f"^“{mode}” deletes rows"):
            service.start(mode=mode)

        assert service.start(mode=mode, dry_run=True).state == "planning"

    def test_is_refused_while_another_run_of_the_root_is_under_way(self, service: IndexSyncService) -> None:
        first = service.start(mode="audit")

        with pytest.raises(RootBusy, match=f"^Run {first.pk} of the root “documents” is under way"):
            service.start(mode="sync")

    def test_does_not_take_another_fault_for_a_second_run(self, service: IndexSyncService) -> None:
        with pytest.raises(IntegrityError, match="allow_missing"):
            service.start(mode="audit", allow_missing=-1)

        assert not IndexRun.objects.exists()

    def test_is_not_refused_for_another_root(self, service: IndexSyncService, tree: Tree, settings: Any) -> None:
        settings.STORAGE_ROOTS["second"] = {"path": tree.path}
        service.start(mode="audit")

        assert service.start(mode="audit", root="second").state == "planning"

    def test_is_for_who_may(self, tree: Tree, redis: Redis) -> None:
        person = User.objects.get(pk=7)
        with pytest.raises(TransitionForbidden):
            IndexSyncService(by=person).start(mode="audit")
        person.user_permissions.add(Permission.objects.get(codename="run_index"))

        run = IndexSyncService(by=User.objects.get(pk=7)).start(mode="audit")

        assert (run.state, run.initiated_by_id) == ("planning", 7)

    def test_takes_the_grace_of_the_settings(self, service: IndexSyncService, settings: Any) -> None:
        settings.STORAGE_MISSING_GRACE_DAYS = 9

        assert service.start(mode="sync").grace == timedelta(days=9)


class TestApply:
    def test_does_what_a_dry_run_has_planned(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        planned = index("sync", dry_run=True)

        service.apply(run_id=planned.pk)
        run = service.work(run_id=planned.pk)

        assert run.state == "done"
        assert rows() == tree.oracle()

    def test_leaves_what_is_back_by_then(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", "7/d/x", "7/z")
        index("sync")
        before = dump()
        tree.remove("7/b", "7/d", "7/z")
        planned = index("full", dry_run=True)
        tree.put("7/b", "7/d/x")

        service.apply(run_id=planned.pk, force=True)
        run = service.work(run_id=planned.pk)

        left = set(run.changes.filter(passed_over=True).values_list("key", flat=True))
        assert (left, run.counts["left"]) == ({"7/b", "7/d/", "7/d/x"}, 3)
        assert set(states()) == {"7/", "7/a", "7/b", "7/d/", "7/d/x"}

        service.undo(run_id=run.pk)
        service.work(run_id=run.pk)

        assert dump() == before

    def test_changes_nothing_while_the_root_is_away(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        planned = index("full", dry_run=True)
        tree.remove(".runsheet-root")

        service.apply(run_id=planned.pk, force=True)
        run = service.work(run_id=planned.pk)

        assert (run.state, run.failure_code) == ("failed", "root_not_there")
        assert set(states()) == {"7/", "7/a", "7/b"}

    def test_wants_force_for_what_deletes(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        planned = index("full", dry_run=True, force=False)

        with pytest.raises(NeedsForce, match=f"^Run {planned.pk} deletes rows"):
            service.apply(run_id=planned.pk)
        service.apply(run_id=planned.pk, force=True)

        assert service.work(run_id=planned.pk).state == "done"

    def test_leaves_what_was_changed_since_the_plan(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", "7/c", "7/d")
        index("sync")
        tree.put("7/a", text="other")
        tree.put("7/new")
        tree.remove("7/b", "7/c")
        planned = index("full", dry_run=True)
        root = StorageRoot.objects.get()
        StoredFile.objects.filter(key__in=["7/a", "7/b"]).update(size=99, changed_at=Now())
        StoredFile.objects.create(root=root, key="7/new", name="new", size=98)

        service.apply(run_id=planned.pk, force=True)
        run = service.work(run_id=planned.pk)

        kept = StoredFile.objects.filter(size__gte=98).order_by("key").values_list("key", flat=True)
        assert list(kept) == ["7/a", "7/b", "7/new"]
        assert "7/c" not in states()
        over = run.changes.filter(passed_over=True).order_by("key").values_list("key", flat=True)
        assert list(over) == ["7/a", "7/b", "7/new"]
        assert run.counts["left"] == 3

    def test_is_refused_without_a_plan(self, service: IndexSyncService, index: Index) -> None:
        run = index("sync")

        with pytest.raises(TransitionRefused):
            service.apply(run_id=run.pk)

    def test_is_refused_for_what_is_gone(self, service: IndexSyncService) -> None:
        with pytest.raises(RunGone, match=r"^There is no run 4711\.$"):
            service.apply(run_id=4711)

    def test_is_refused_while_another_run_is_under_way(self, service: IndexSyncService, index: Index) -> None:
        planned = index("sync", dry_run=True)
        other = service.start(mode="audit")

        with pytest.raises(RootBusy, match=f"^Run {other.pk} "):
            service.apply(run_id=planned.pk)


class TestOverride:
    @pytest.fixture
    def refused(self, tree: Tree, index: Index) -> IndexRun:
        tree.fill("7/d", 120)
        index("sync")
        tree.remove("7/d")
        return index("full")

    def test_needs_the_number(self, service: IndexSyncService, refused: IndexRun) -> None:
        with pytest.raises(NotOverridden, match=r"^121 are missing\."):
            service.override(run_id=refused.pk, allow_missing=120)

    def test_goes_on(self, service: IndexSyncService, refused: IndexRun) -> None:
        service.override(run_id=refused.pk, allow_missing=121)

        assert service.work(run_id=refused.pk).state == "done"
        assert sorted(states()) == ["7/"]

    def test_deletes_nothing_once_the_disk_is_back(
        self, service: IndexSyncService, tree: Tree, index: Index, refused: IndexRun
    ) -> None:
        before = set(StoredFile.objects.values_list("pk", "key"))
        tree.fill("7/d", 120)

        service.override(run_id=refused.pk, allow_missing=121)
        run = service.work(run_id=refused.pk)

        assert run.counts["left"] == 121
        assert set(StoredFile.objects.values_list("pk", "key")) == before

    def test_of_a_plan_is_a_plan(self, service: IndexSyncService, refused: IndexRun) -> None:
        IndexRun.objects.filter(pk=refused.pk).update(dry_run=True)

        assert service.override(run_id=refused.pk, allow_missing=121).pk == refused.pk
        assert IndexRun.objects.get(pk=refused.pk).state == "planned"

    def test_is_not_possible_where_nothing_was_seen(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        index("sync")
        tree.path.rename(tree.path.with_name("elsewhere"))
        run = index("full")

        with pytest.raises(TransitionRefused):
            service.override(run_id=run.pk, allow_missing=1_000)


class TestUndo:
    def test_brings_back_the_exact_rows(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b", "7/c", "7/gone", "8/d/e")
        tree.put("7/moves", text="moves", at_ns=1_000_000_001)
        index("sync", checksums=True)
        tree.remove("7/gone")
        index("sync")
        before = dump()
        tree.put("7/gone", "7/new", text="back")
        tree.put("7/a", text="changed")
        tree.remove("7/b", "8/d")
        tree.move("7/moves", "8/moved")

        run = index("full")
        kinds = {action for action, _ in changes(run)}
        service.undo(run_id=run.pk)
        undone = service.work(run_id=run.pk)

        assert kinds == {"create", "update", "rename", "revive", "delete"}
        assert (undone.state, undone.applied_up_to) == ("undone", 0)
        assert dump() == before

    def test_of_missing_brings_back_too(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        before = dump()
        tree.remove("7/b")

        run = index("sync")
        service.undo(run_id=run.pk)
        service.work(run_id=run.pk)

        assert dump() == before

    def test_leaves_what_was_changed_since(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        run = index("sync")
        StoredFile.objects.filter(key="7/a").update(size=99, changed_by=None)

        service.undo(run_id=run.pk)
        undone = service.work(run_id=run.pk)

        assert sorted(states()) == ["7/a"]
        assert undone.counts["left"] == 1

    def test_leaves_rows_on_which_something_stands_by_now(
        self, service: IndexSyncService, tree: Tree, index: Index, protect: Callable[..., None]
    ) -> None:
        tree.put("7/a", "7/b")
        run = index("sync")
        protect("7/a")

        service.undo(run_id=run.pk)
        service.work(run_id=run.pk)

        assert sorted(states()) == ["7/a"]

    def test_is_refused_while_a_later_run_stands(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        first = index("sync")
        tree.put("7/b")
        second = index("sync")

        with pytest.raises(LaterRunStands, match=f"^Run {second.pk} has changed rows"):
            service.undo(run_id=first.pk)
        for run in (second, first):
            service.undo(run_id=run.pk)
            service.work(run_id=run.pk)

        assert states() == {}


class TestAbort:
    def test_stops_between_two_batches_and_can_be_undone(
        self, service: IndexSyncService, tree: Tree, index: Index, small_batches: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.fill("7", 30)
        run = index("sync", dry_run=True)
        service.apply(run_id=run.pk)
        asked = iter((False, True))

        def stops(_run: Any) -> bool:
            if next(asked, False):
                service.abort(run_id=run.pk)
            return False

        monkeypatch.setattr("statemachine.reactions.Run.is_time_up", property(stops))
        service.work(run_id=run.pk)
        aborted = IndexRun.objects.get(pk=run.pk)
        had = len(states())
        service.undo(run_id=run.pk)
        service.work(run_id=run.pk)

        assert (aborted.state, aborted.applied_up_to, had) == ("aborted", 10, 10)
        assert states() == {}

    def test_lets_the_next_one_begin(self, service: IndexSyncService) -> None:
        first = service.start(mode="audit")

        service.abort(run_id=first.pk)

        assert service.start(mode="audit").state == "planning"


class TestProtected:
    def test_rows_are_skipped_and_counted(self, tree: Tree, index: Index, protect: Callable[..., None]) -> None:
        tree.put("7/a", "7/b", "7/c")
        index("sync")
        tree.remove("7/a", "7/b")
        protect("7/a")

        run = index("full")

        assert sorted(states()) == ["7/", "7/a", "7/c"]
        assert states()["7/a"] == "missing"
        assert (run.counts["records_skipped"], run.counts["protected_shared"]) == (1, 1)
        assert run.changes.get(key="7/a").detail == "A share link leads to it."

    def test_rows_that_are_missing_already_are_skipped(
        self, tree: Tree, index: Index, protect: Callable[..., None]
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/a")
        index("sync")
        protect("7/a")

        run = index("clean")

        assert changes(run) == [("skip", "7/a")]

    def test_rows_go_where_that_is_wished_for(self, tree: Tree, index: Index, protect: Callable[..., None]) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/a")
        protect("7/a")

        index("full", include_protected=True)

        assert sorted(states()) == ["7/", "7/b"]

    def test_rows_that_are_protected_after_the_plan_stay(
        self, service: IndexSyncService, tree: Tree, index: Index, protect: Callable[..., None]
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/a")
        planned = index("full", dry_run=True)
        protect("7/a")

        service.apply(run_id=planned.pk, force=True)
        run = service.work(run_id=planned.pk)

        assert "7/a" in states()
        assert run.counts["left"] == 1


class TestReport:
    def test_says_how_a_run_stands(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")

        report = RunReport.of(index("sync"))

        assert (report.root, report.mode, report.state, report.why) == ("documents", "sync", "done", "")
        assert (report.stats.records_created, report.stats.differences, report.stats.is_in_sync) == (2, 2, False)
        assert set(report.stats.seconds) == {"planning", "applying"}

    def test_of_what_is_in_sync_says_so(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")
        index("sync")

        assert RunReport.of(index("audit")).stats.is_in_sync
