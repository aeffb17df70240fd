"""The index as a task: sent, done by a worker, and what is left of one whose worker ends."""

from typing import Any

import pytest
from django.tasks import TaskResultStatus
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from core.base.errors import WorkerStopping
from statemachine import worker
from statemachine.dispatch import dispatch
from storage.errors import NeedsForce, RootBusy
from storage.models import IndexRun
from storage.services import IndexSyncService, RunReport
from storage.tasks import rebuild_storage_index
from tests.storage.conftest import rows
from tests.storage.trees import Tree
from tests.workers import work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("storage", connection=redis, serializer=JSONSerializer)


class TestTask:
    def test_returns_the_figures_of_its_run(self, tree: Tree, queue: Queue) -> None:
        tree.put("7/a", "8/b")
        result = rebuild_storage_index.enqueue(mode="sync")

        work_off(queue)
        result.refresh()

        assert result.status == TaskResultStatus.SUCCESSFUL
        assert result.return_value == RunReport.of(IndexRun.objects.get()).document
        assert result.return_value["state"] == "done"
        assert rows() == tree.oracle()

    def test_takes_what_the_service_takes(self, tree: Tree, queue: Queue) -> None:
        result = rebuild_storage_index.enqueue(
            mode="full",
            root="documents",
            user_id=7,
            dry_run=True,
            force=True,
            incremental=True,
            checksums=True,
            include_protected=True,
            allow_missing=120,
            grace_days=3,
        )

        work_off(queue)
        result.refresh()

        run = IndexRun.objects.get()
        assert (result.return_value["run_id"], run.state) == (run.pk, "planned")
        assert (run.mode, run.user_id, run.allow_missing, run.grace.days) == ("full", 7, 120, 3)
        assert run.dry_run
        assert run.incremental
        assert run.checksums
        assert run.include_protected

    def test_says_why_nothing_was_started(self, tree: Tree, queue: Queue) -> None:
        result = rebuild_storage_index.enqueue(mode="full")

        work_off(queue)
        result.refresh()

        assert [error.exception_class for error in result.errors] == [NeedsForce]
        assert "“full” deletes rows." in result.errors[0].traceback
        assert not IndexRun.objects.exists()

    def test_is_refused_while_another_run_is_under_way(self, tree: Tree, queue: Queue) -> None:
        IndexSyncService().start(mode="audit", rings=False)
        result = rebuild_storage_index.enqueue()

        work_off(queue)
        result.refresh()

        assert [error.exception_class for error in result.errors] == [RootBusy]


class TestAWorkerThatIsToldToStop:
    def test_leaves_the_run_to_another_one(self, tree: Tree, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
        tree.put("7/a")
        result = rebuild_storage_index.enqueue(mode="sync")
        with monkeypatch.context() as patch:
            patch.setattr(worker.RunsheetWorker, "told_to_stop", True)
            work_off(queue)
        result.refresh()
        run = IndexRun.objects.get()
        left = (run.state, [error.exception_class for error in result.errors])

        assert dispatch(IndexRun, pks=[run.pk]) == 1
        work_off(queue)

        assert left == ("planning", [WorkerStopping])
        assert IndexRun.objects.get().state == "done"
        assert rows() == tree.oracle()


class TestAWorkerThatIsAtIt:
    def test_says_after_each_slice_that_it_goes_on(
        self, tree: Tree, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else its job would count as abandoned once the time of one slice is over."""
        said: list[Any] = []

        class Worker:
            def say_that_it_goes_on(self, job: Any) -> None:
                said.append(job)

        monkeypatch.setattr(worker.RunsheetWorker, "under_way", (Worker(), "its job"))
        result = rebuild_storage_index.enqueue(mode="sync")

        work_off(queue)
        result.refresh()

        assert result.return_value["state"] == "done"
        assert len(said) >= 2
        assert set(said) == {"its job"}
