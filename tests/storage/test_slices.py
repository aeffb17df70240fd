"""Runs in slices, runs whose worker is killed, and how many statements a batch takes."""

from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from psycopg import Cursor
from psycopg.errors import DiskFull
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from statemachine import jobs
from statemachine.dispatch import dispatch
from storage import reactions
from storage.errors import (
    ListerUnknown,
    RootUnknown,
    RunGone,
)
from storage.index import listers, merging, planning
from storage.models import IndexChange, IndexRun
from storage.services import IndexSyncService
from tests.storage.conftest import NO_GRACE, Index, changes, in_batches, rows, states
from tests.storage.trees import Tree
from tests.workers import work_off

pytestmark = pytest.mark.django_db


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

    @pytest.mark.parametrize(("checksums", "at_least"), [(True, 8), (False, 2)])
    def test_end_by_how_much_was_read(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch, checksums: bool, at_least: int
    ) -> None:
        """Five thousand large files are more than a worker reads in the time that it has."""
        monkeypatch.setattr(merging, "READ_AS_ONE", 10)
        tree.put(*(f"7/{number}" for number in range(8)), text="x" * 50)
        saved: list[Any] = []
        save = planning.Planning._save

        def noted(self: planning.Planning, place: dict[str, Any]) -> None:
            saved.append(place)
            save(self, place)

        monkeypatch.setattr(planning.Planning, "_save", noted)

        run = index("sync", checksums=checksums)

        assert run.counts["records_created"] == 9
        assert at_least <= len(saved) < at_least + 3
        assert rows() == tree.oracle()

    def test_go_on_while_all_are_missing(self, tree: Tree, index: Index) -> None:
        tree.fill("7/a", 30)
        index("sync")
        tree.remove("7/a")

        run = index("full")

        assert run.counts["records_deleted"] == 31
        assert sorted(states()) == ["7/"]

    def test_keep_in_mind_what_is_masked(self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.matrix
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
            assert rows() == tree.oracle()
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
        run = service.start(mode="sync", rings=False)
        monkeypatch.setattr(planning, "_slow_down", lambda *_: service.abort(run_id=run.pk))
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


@pytest.mark.long
class TestStatements:
    @pytest.mark.parametrize("mode", ["sync", "full"])
    def test_are_as_many_for_each_batch_however_many_rows(
        self, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch, mode: str
    ) -> None:
        counts = []
        for batch, files in ((50, 50), (200, 200)):
            in_batches(monkeypatch, batch)
            tree.fill(f"7/{batch}", files * 3)
            with CaptureQueriesContext(connection) as new:
                index(mode)
            for path in (tree.path / f"7/{batch}").iterdir():
                path.write_text("changed")
            with CaptureQueriesContext(connection) as changed:
                index(mode)
            counts.append((len(new), len(changed)))

        assert abs(counts[0][0] - counts[1][0]) <= 6
        assert abs(counts[0][1] - counts[1][1]) <= 12


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


class TestOutages:
    def test_of_the_database_cost_a_batch_and_nothing_else(
        self, tree: Tree, index: Index, small_batches: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its disk is full; then there is room again."""
        copy, calls = Cursor.copy, iter(range(100))

        def full_once(*given: Any) -> Any:
            if next(calls) == 1:
                raise DiskFull
            return copy(*given)

        monkeypatch.setattr(Cursor, "copy", full_once)
        monkeypatch.setattr("statemachine.outages.pause_s", lambda: 0.0)
        tree.fill("7/a", 12)

        run = index("sync")

        assert run.state == "done"
        assert rows() == tree.oracle()
        assert len(changes(run)) == 14


class TestWorkers:
    def test_do_what_was_started(self, tree: Tree, service: IndexSyncService, redis: Redis) -> None:
        tree.put("7/a")
        run = service.start(mode="sync")
        assert dispatch(IndexRun, pks=[run.pk]) == 1

        work_off(Queue("storage", connection=redis, serializer=JSONSerializer))

        assert IndexRun.objects.get(pk=run.pk).state == "done"
        assert rows() == tree.oracle()

    def test_may_be_at_it_while_somebody_waits(
        self, tree: Tree, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who works on it here looks again until the other one is done."""
        run = service.start(mode="audit", rings=False)
        IndexRun.objects.filter(pk=run.pk).update(claimed_until="2100-01-01T00:00Z")
        looked: list[str] = []

        def let_go(_seconds: float) -> None:
            looked.append("again")
            IndexRun.objects.filter(pk=run.pk).update(claimed_until=None)

        monkeypatch.setattr("storage.services.sleep", let_go)

        assert service.work(run_id=run.pk).state == "planned"
        assert looked == ["again"]

    def test_find_a_run_that_was_deleted_gone(self, service: IndexSyncService) -> None:
        run = service.start(mode="audit", rings=False)

        def delete(_run: IndexRun) -> None:
            IndexRun.objects.all().delete()

        with pytest.raises(RunGone):
            service.work(run_id=run.pk, told=delete)
