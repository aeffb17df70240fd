"""Starting, stopping, applying and undoing runs, and what becomes of one whose worker is killed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from redis import Redis

from statemachine import jobs
from statemachine.errors import TransitionForbidden, TransitionRefused
from storage import reactions
from storage.errors import (
    LaterRunStands,
    ListerUnknown,
    ModeUnknown,
    NeedsForce,
    NotOverridden,
    RootBusy,
    RootUnknown,
    RunGone,
    UserUnknown,
)
from storage.index import applying, listers, merging, planning, protectors, rows as paging
from storage.models import IndexChange, IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService, RunReport
from tests.storage.conftest import NO_GRACE, Index, changes, dump, rows, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(tree: Tree, redis: Redis) -> IndexSyncService:
    return IndexSyncService()


class TestStart:
    def test_refuses_a_mode_that_there_is_not(self, service: IndexSyncService) -> None:
        with pytest.raises(ModeUnknown, match=r"^There is no mode “scrub”\. It is audit, sync, clean or full\.$"):
            service.start(mode="scrub")

    def test_refuses_a_user_who_is_not_there(self, service: IndexSyncService) -> None:
        with pytest.raises(UserUnknown, match=r"^There is no user 4711\.$"):
            service.start(mode="audit", user_id=4711)

    def test_refuses_a_root_that_the_settings_do_not_know(self, service: IndexSyncService) -> None:
        with pytest.raises(RootUnknown, match=r"^There is no root “attic”\. The settings know “documents”\.$"):
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

    def test_is_not_refused_for_another_root(
        self, service: IndexSyncService, tree: Tree, settings: Any
    ) -> None:
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

    def test_wants_force_for_what_deletes(self, service: IndexSyncService, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        planned = index("full", dry_run=True, force=False)

        with pytest.raises(NeedsForce, match=f"^Run {planned.pk} deletes rows"):
            service.apply(run_id=planned.pk)
        service.apply(run_id=planned.pk, force=True)

        assert service.work(run_id=planned.pk).state == "done"

    def test_leaves_what_was_changed_since_the_plan(
        self, service: IndexSyncService, tree: Tree, index: Index
    ) -> None:
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

    def test_of_a_plan_is_a_plan(self, service: IndexSyncService, refused: IndexRun) -> None:
        IndexRun.objects.filter(pk=refused.pk).update(dry_run=True)

        assert service.override(run_id=refused.pk, allow_missing=121).pk == refused.pk
        assert IndexRun.objects.get(pk=refused.pk).state == "planned"

    def test_is_not_possible_where_nothing_was_seen(
        self, service: IndexSyncService, tree: Tree, index: Index
    ) -> None:
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
    def test_rows_are_skipped_and_counted(
        self, tree: Tree, index: Index, protect: Callable[..., None]
    ) -> None:
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


class TestSlices:
    @pytest.fixture(autouse=True)
    def _sliced(self, small_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("statemachine.reactions.Run.is_time_up", property(lambda _: True))

    def test_of_one_batch_each_come_to_the_same(self, tree: Tree, index: Index, service: IndexSyncService) -> None:
        for directory in ("7/a", "7/b/c", "8"):
            tree.fill(directory, 17)
        tree.link("7/b/link", "nowhere")

        run = index("sync")
        again = index("sync")
        service.undo(run_id=run.pk)
        undone = service.work(run_id=run.pk)

        assert (run.state, again.state, undone.state) == ("done", "done", "undone")
        assert [action for action, _ in changes(again)] == ["anomaly"]
        assert run.counts["records_created"] == 56
        assert run.counts["users_scanned"] == 2
        assert states() == {}

    def test_go_on_while_all_are_missing(self, tree: Tree, index: Index) -> None:
        tree.fill("7/a", 30)
        index("sync")
        tree.remove("7/a")

        run = index("full")

        assert run.counts["records_deleted"] == 31
        assert sorted(states()) == ["7/"]

    def test_keep_in_mind_what_is_masked(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The directory that cannot be read lies in another slice than what it hides."""
        tree.fill("7/a", 30)
        tree.fill("7/b", 30)
        index("sync")
        tree.remove("7/a")
        tree.link("7/a", "nowhere")

        run = index("full")

        assert run.counts["masked"] == 31
        assert len(states()) == 63
        assert [key for action, key in changes(run) if action == "anomaly"] == ["7/a"]


class Killed(BaseException):
    """As `kill -9` would: nothing is put in order."""


class TestKilled:
    """At each batch, of planning, applying and undoing, in turn; whoever goes on comes to the same rows."""

    @pytest.fixture(autouse=True)
    def _small(self, small_batches: None) -> None: ...

    def test_at_any_batch_it_is_taken_up_and_comes_to_the_same(
        self, tree: Tree, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        killer = Killer(monkeypatch)
        tree.fill("7/a", 5)
        tree.fill("8/b", 4)
        tree.link("8/link", "nowhere")
        killed = 0
        for at in range(1, 100):
            run = service.start(mode="full", force=True, grace=NO_GRACE, rings=False)
            killer.at = at
            done = self._through(service, run)
            assert run_rows() == tree.oracle()
            assert len(changes(done)) == len(set(changes(done))) == 14
            service.undo(run_id=run.pk)
            undone = self._through(service, run)
            assert (undone.state, states()) == ("undone", {})
            if killer.at > 0:
                break
            killed += 1
            killer.at = 0

        assert killed >= 8, "each batch was met"

    def _through(self, service: IndexSyncService, run: IndexRun) -> IndexRun:
        while True:
            try:
                return service.work(run_id=run.pk)
            except Killed:
                IndexRun.objects.filter(pk=run.pk).update(claimed_until=Now(), due_at=Now())

    def test_before_its_end_is_written_it_plans_nothing_twice(
        self, tree: Tree, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.fill("7/a", 7)
        commit, calls = jobs._commit, iter(range(10))

        def killed(*given: Any) -> Any:
            if next(calls) == 0:
                raise Killed
            return commit(*given)

        monkeypatch.setattr(jobs, "_commit", killed)
        run = service.start(mode="sync", rings=False)
        done = self._through(service, run)

        assert (done.state, len(changes(done))) == ("done", 9)

    def test_a_run_that_moved_on_writes_nothing(
        self, tree: Tree, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.fill("7/a", 12)
        monkeypatch.setattr(planning, "_slow_down", lambda _: service.abort(run_id=run.pk))
        run = service.start(mode="sync", rings=False)
        service.work(run_id=run.pk)

        assert IndexRun.objects.get().state == "aborted"
        assert IndexChange.objects.count() == 5, "of the batch before"


class Killer:
    """Raises at the so-manyth batch from when `at` was set; below 0 it has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        keeper = reactions._keeper

        def killing(run: Any) -> Any:
            keep = keeper(run)

            def kept(**reached: Any) -> None:
                keep(**reached)
                if self.at > 0:
                    self.at -= 1
                    if self.at == 0:
                        self.at = -1
                        raise Killed

            return kept

        monkeypatch.setattr(reactions, "_keeper", killing)


class TestStatements:
    @pytest.mark.parametrize("mode", ["sync", "full"])
    def test_are_as_many_for_each_batch_however_many_rows(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch, mode: str
    ) -> None:
        counts = []
        for batch, files in ((50, 50), (200, 200)):
            _batches(monkeypatch, batch)
            tree.fill(f"7/{batch}", files * 3)
            with CaptureQueriesContext(connection, ) as new:
                index(mode)
            for path in (tree.path / f"7/{batch}").iterdir():
                path.write_text("changed")
            with CaptureQueriesContext(connection) as changed:
                index(mode)
            counts.append((len(new), len(changed)))

        assert abs(counts[0][0] - counts[1][0]) <= 6
        assert abs(counts[0][1] - counts[1][1]) <= 12


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


class TestListers:
    def test_of_an_unknown_kind_fail_the_run(self, index: Index, settings: Any) -> None:
        settings.STORAGE_ROOTS["documents"]["kind"] = "tape"

        run = index("audit")

        assert (run.state, run.failure_code) == ("failed", ListerUnknown.code)
        assert run.failure_message.startswith("Nothing here can list a root of the kind “tape”. Known are ")

    def test_are_registered(self, tree: Tree, index: Index, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listers, "_makers", dict(listers._makers))
        listers.register("tape", listers._makers["files"])
        settings.STORAGE_ROOTS["documents"]["kind"] = "tape"
        tree.put("7/a")

        assert index("sync").state == "done"

    def test_need_to_know_where(self, tree: Tree, index: Index, settings: Any) -> None:
        del settings.STORAGE_ROOTS["documents"]["path"]

        assert index("audit").failure_code == RootUnknown.code

    def test_of_a_root_that_the_settings_have_forgotten_fail_the_run(
        self, service: IndexSyncService, settings: Any
    ) -> None:
        run = service.start(mode="audit", rings=False)
        settings.STORAGE_ROOTS = {}

        assert service.work(run_id=run.pk).failure_code == RootUnknown.code


class TestThrottle:
    def test_leaves_time_to_others(
        self, tree: Tree, index: Index, settings: Any, monkeypatch: pytest.MonkeyPatch, small_batches: None
    ) -> None:
        slept: list[float] = []
        monkeypatch.setattr(planning, "sleep", slept.append)
        settings.STORAGE_INDEX_ENTRIES_PER_S = 10
        tree.fill("7/a", 12)

        index("sync")

        assert len(slept) == 2
        assert all(0 < each <= 0.5 for each in slept)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    _batches(monkeypatch, 5)


def _batches(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (merging, applying, paging, planning):
        monkeypatch.setattr(module, "BATCH", size)


@pytest.fixture
def protect() -> Iterator[Callable[..., None]]:
    """Lets something stand on the rows of these keys."""

    def register(*keys: str) -> None:
        ids = set(StoredFile.objects.filter(key__in=keys).values_list("pk", flat=True))
        protectors.register(
            "test", lambda asked: {each: "A share link leads to it." for each in asked if each in ids}
        )

    yield register
    protectors.forget("test")


def run_rows() -> dict[str, tuple[Any, ...]]:
    return rows()
