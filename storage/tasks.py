"""Index runs as tasks of Django's framework, for whatever sends tasks. It is the service's business what a run does."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.tasks import TaskContext, task

from statemachine.reactions import Limits
from statemachine.worker import go_on
from storage.services import IndexSyncService, RunReport


@task(takes_context=True, queue_name=settings.STORAGE_QUEUE)
def rebuild_storage_index(
    context: "TaskContext[Any, Any]",  # noqa: ARG001 - Django hands it over to whoever takes one
    *,
    mode: str = "audit",
    root: str = "documents",
    user_id: int | None = None,
    dry_run: bool = False,
    force: bool = False,
    incremental: bool = False,
    checksums: bool = False,
    include_protected: bool = False,
    allow_missing: int | None = None,
    grace_days: int | None = None,
) -> dict[str, Any]:
    """Start a run and work on it to its end, as the command does; the figures.

    If this task is broken off, as with its worker, the run goes on: it is owed in the database, and not by the task.

    Raises:
        Refused: nothing was started, see `IndexSyncService.start`.
        WorkerStopping: the worker was told to stop; another one goes on with the run.
    """
    service = IndexSyncService()
    run = service.start(
        mode=mode,
        root=root,
        user_id=user_id,
        dry_run=dry_run,
        force=force,
        incremental=incremental,
        checksums=checksums,
        include_protected=include_protected,
        allow_missing=allow_missing,
        grace=None if grace_days is None else timedelta(days=grace_days),
        rings=False,
    )
    return RunReport.of(service.work(run_id=run.pk, told=lambda _: go_on(Limits()))).document
