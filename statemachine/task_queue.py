"""Django's task framework on RQ: a task is a job of one of our queues, and what becomes of it is kept with the job.

A task is lost with Redis, as every job is. So a task begins work that is owed in the database, or waits for it; it is not
itself what is owed (docs/decisions/0002-postgres-is-the-truth.md). With `statemachine.doorbell`, `statemachine.worker` and
`statemachine.rq_worker`, and what mends RQ's dashboard, the only code that sees rq.
"""

from collections.abc import Mapping
from traceback import format_exception
from typing import Any, cast, override

from django.conf import settings
from django.core import checks
from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import TaskError
from django.tasks.exceptions import TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils.crypto import get_random_string
from django.utils.json import normalize_json
from django.utils.module_loading import import_string
from redis import Redis
from rq import Queue, get_current_job
from rq.exceptions import AbandonedJobError, InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from core.base.clock import now
from core.base.redis_client import ask
from statemachine.reactions import Limits

# Generic for whoever checks types only.
type AnyTask = Task[Any, Any]
type AnyResult = TaskResult[Any, Any]

KEPT_S = 86_400
ENDED_WITHOUT_A_WORD = f"{AbandonedJobError.__module__}.{AbandonedJobError.__qualname__}"
STATUS: Mapping[JobStatus, TaskResultStatus] = {
    JobStatus.STARTED: TaskResultStatus.RUNNING,
    JobStatus.FINISHED: TaskResultStatus.SUCCESSFUL,
    JobStatus.FAILED: TaskResultStatus.FAILED,
    JobStatus.STOPPED: TaskResultStatus.FAILED,
    JobStatus.CANCELED: TaskResultStatus.FAILED,
}


class RQTasks(BaseTaskBackend):
    """Sends tasks to the workers of the queue that they name. There is no later instant, no order but that of coming.

    A task may take as long as work of the engine (`Limits`). One that takes longer says so in time
    (`statemachine.worker.go_on`). It is not tried again: whoever wants that sends it again.
    """

    supports_get_result = True

    @override
    def enqueue(self, task: AnyTask, args: Any, kwargs: Any) -> AnyResult:
        """Send it.

        Raises:
            InvalidTask: it asks for what there is not.
            RedisError: Redis took nothing.
        """
        self.validate_task(task)
        result: AnyResult = TaskResult(
            task=task,
            id=get_random_string(32),
            status=TaskResultStatus.READY,
            enqueued_at=now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        ask(lambda redis: _send(redis, result))
        task_enqueued.send(type(self), task_result=result)
        return result

    @override
    def get_result(self, result_id: str) -> AnyResult:
        """What has become of it so far, for a day after its end.

        Raises:
            TaskResultDoesNotExist: there is no such task, or not any more.
            RedisError: Redis does not answer.
        """
        return ask(lambda redis: _read(redis, result_id))

    @override
    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [
            checks.Error(
                f"TASKS names the queue “{name}”, which RQ_QUEUES does not have, so that no worker serves it.",
                id="statemachine.E050",
            )
            for name in sorted(self.queues - set(settings.RQ_QUEUES))
        ]


def execute(*_told: Any) -> Any:
    """Do a task; the RQ job. What it was told, `_result` reads from the job.

    Raises:
        BaseException: the task's own; kept with the job.
    """
    job = get_current_job()
    assert job is not None
    job.meta = {**job.meta, "worker_ids": [*job.meta.get("worker_ids", []), job.worker_name or ""]}
    job.save_meta()  # type: ignore[no-untyped-call]  # rq types this class in part
    result = _result(job, TaskResultStatus.RUNNING)
    task_started.send(RQTasks, task_result=result)
    try:
        context: list[Any] = [TaskContext(task_result=result)] if result.task.takes_context else []
        value = normalize_json(result.task.call(*context, *result.args, **result.kwargs))
    except BaseException as error:
        kind = type(error)
        told = {"path": f"{kind.__module__}.{kind.__qualname__}", "traceback": "".join(format_exception(error))}
        job.meta["errors"] = [*job.meta.get("errors", []), told]
        job.save_meta()  # type: ignore[no-untyped-call]
        task_finished.send(RQTasks, task_result=_result(job, TaskResultStatus.FAILED))
        raise
    task_finished.send(RQTasks, task_result=_result(job, TaskResultStatus.SUCCESSFUL, value))
    return value


def _send(redis: Redis, result: AnyResult) -> None:
    task = result.task
    Queue(task.queue_name, connection=redis, serializer=JSONSerializer).enqueue(
        f"{__name__}.{execute.__name__}",
        task.module_path,
        result.args,
        result.kwargs,
        result.backend,
        job_id=result.id,
        job_timeout=Limits().soft_s,
        result_ttl=KEPT_S,
        failure_ttl=KEPT_S,
        description=task.module_path,
    )


def _read(redis: Redis, result_id: str) -> AnyResult:
    try:
        job = Job.fetch(result_id, connection=redis, serializer=JSONSerializer)
        if job.func_name != f"{__name__}.{execute.__name__}":
            raise TaskResultDoesNotExist(result_id)
        status = STATUS.get(job.get_status(refresh=False), TaskResultStatus.READY)
        value = job.return_value() if status == TaskResultStatus.SUCCESSFUL else None
        return _result(job, status, value)
    except (NoSuchJobError, InvalidJobOperation, ValueError):
        raise TaskResultDoesNotExist(result_id) from None


def _result(job: Job, status: TaskResultStatus, value: Any = None) -> AnyResult:
    path, args, kwargs, backend = job.args
    task = cast("AnyTask", import_string(path)).using(queue_name=job.origin, backend=backend)
    is_over = status in {TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL}
    result: AnyResult = TaskResult(
        task=task,
        id=job.id,
        status=status,
        enqueued_at=job.enqueued_at,
        started_at=job.started_at,
        last_attempted_at=job.started_at,
        finished_at=(job.ended_at or now()) if is_over else None,
        args=args,
        kwargs=kwargs,
        backend=backend,
        errors=list(_errors(job, status)),
        worker_ids=job.meta.get("worker_ids", []),
    )
    object.__setattr__(result, "_return_value", value)  # as Django's own back-ends set it
    return result


def _errors(job: Job, status: TaskResultStatus) -> list[TaskError]:
    kept = [
        TaskError(exception_class_path=each["path"], traceback=each["traceback"]) for each in job.meta.get("errors", [])
    ]
    if kept or status != TaskResultStatus.FAILED:
        return kept
    # Its worker was killed, or somebody has stopped or cancelled it.
    last = job.latest_result()
    return [TaskError(exception_class_path=ENDED_WITHOUT_A_WORD, traceback=(last and last.exc_string) or "")]
