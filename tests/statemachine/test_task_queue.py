"""Django's tasks on RQ, by the contract of Django's back-ends; real jobs, done by a worker in this process."""

import multiprocessing
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.tasks import TaskContext, TaskResult, TaskResultStatus, default_task_backend, task, task_backends
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_enqueued, task_finished, task_started
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from core.base.clock import now
from core.base.errors import SoftTimeLimit, WorkerStopping
from statemachine import doorbell
from statemachine import worker as worker_module
from statemachine.doorbell import Message
from statemachine.reactions import Limits
from statemachine.task_queue import RQTasks
from statemachine.worker import RunsheetWorker
from tests.workers import forget_measured, work_off

pytestmark = pytest.mark.usefixtures("redis")

type AnyResult = TaskResult[Any, Any]
type AnyContext = TaskContext[Any, Any]


@task(queue_name="storage")
def add(one: int, *, other: int = 1) -> int:
    return one + other


@task(queue_name="storage", takes_context=True)
def tell(context: AnyContext) -> dict[str, Any]:
    result = context.task_result
    return {"id": result.id, "attempt": context.attempt, "status": result.status, "workers": result.worker_ids}


@task(queue_name="storage")
def fail(*, words: str) -> None:
    raise LookupError(words)


@task(queue_name="storage")
def take_too_long() -> None:
    raise SoftTimeLimit


@task(queue_name="storage")
def return_what_no_json_is() -> object:
    return object()


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("storage", connection=redis, serializer=JSONSerializer)


@pytest.fixture
def told() -> Iterator[list[tuple[str, str]]]:
    """The signals as they come, with the status."""
    came: list[tuple[str, str]] = []
    signals = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}
    receivers = {}
    for name, signal in signals.items():

        def note(sender: Any, task_result: AnyResult, name: str = name, **_: Any) -> None:
            assert sender is RQTasks
            came.append((name, task_result.status))

        receivers[name] = note
        signal.connect(note)
    yield came
    for name, signal in signals.items():
        signal.disconnect(receivers[name])


def done(queue: Queue, result: AnyResult) -> AnyResult:
    work_off(queue)
    result.refresh()
    return result


class TestBackend:
    def test_is_the_one_that_the_settings_name(self) -> None:
        assert isinstance(task_backends["default"], RQTasks)

    def test_says_what_it_can(self) -> None:
        assert default_task_backend.supports_get_result
        assert not default_task_backend.supports_defer
        assert not default_task_backend.supports_priority
        assert not default_task_backend.supports_async_task

    def test_refuses_what_it_cannot(self) -> None:
        with pytest.raises(InvalidTask, match="run_after"):
            add.using(run_after=now() + timedelta(minutes=1))
        with pytest.raises(InvalidTask, match="priority"):
            add.using(priority=1)
        with pytest.raises(InvalidTask, match="Queue 'default' is not valid"):
            add.using(queue_name="default")
        with pytest.raises(InvalidTask, match="async"):
            task(queue_name="storage")(_later)

    def test_names_a_queue_that_nobody_serves(self, settings: Any) -> None:
        settings.TASKS = {"default": {"BACKEND": "statemachine.task_queue.RQTasks", "QUEUES": ["storage", "attic"]}}

        with pytest.raises(SystemCheckError, match=r"E050.* TASKS names the queue “attic”"):
            call_command("check")

    @pytest.mark.django_db
    def test_is_well_as_it_is_set(self) -> None:
        call_command("check")


async def _later() -> None: ...


class TestEnqueue:
    def test_sends_it_and_says_so(self, queue: Queue, told: list[tuple[str, str]]) -> None:
        result = add.enqueue(1, other=2)

        assert (result.status, result.is_finished, result.attempts) == (TaskResultStatus.READY, False, 0)
        assert (result.args, result.kwargs) == ([1], {"other": 2})
        assert result.enqueued_at
        assert queue.job_ids == [result.id]
        assert told == [("enqueued", "READY")]
        with pytest.raises(ValueError, match="not finished"):
            _ = result.return_value

    def test_keeps_no_task_that_is_no_json(self, queue: Queue) -> None:
        with pytest.raises(TypeError):
            add.enqueue(object())  # type: ignore[arg-type]

        assert queue.count == 0

    def test_says_that_redis_took_nothing(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        with pytest.raises(RedisError):
            add.enqueue(1)


class TestResult:
    def test_of_what_was_done_has_what_came_of_it(self, queue: Queue, told: list[tuple[str, str]]) -> None:
        result = done(queue, add.enqueue(1, other=2))

        assert (result.status, result.return_value, result.errors) == (TaskResultStatus.SUCCESSFUL, 3, [])
        assert (result.is_finished, result.attempts) == (True, 1)
        assert result.enqueued_at
        assert result.started_at
        assert result.last_attempted_at
        assert result.finished_at
        assert result.enqueued_at <= result.started_at <= result.finished_at
        assert told == [("enqueued", "READY"), ("started", "RUNNING"), ("finished", "SUCCESSFUL")]

    def test_is_read_by_whoever_has_its_number(self, queue: Queue) -> None:
        sent = done(queue, add.enqueue(1))

        found = add.get_result(sent.id)

        assert (found.return_value, found.task.func, found.backend) == (2, add.func, "default")

    def test_is_known_to_the_task_that_asks_for_it(self, queue: Queue) -> None:
        result = done(queue, tell.enqueue())

        assert result.return_value == {
            "id": result.id,
            "attempt": 1,
            "status": "RUNNING",
            "workers": result.worker_ids,
        }

    def test_of_what_failed_says_how(self, queue: Queue, told: list[tuple[str, str]]) -> None:
        result = done(queue, fail.enqueue(words="nothing is there"))

        (error,) = result.errors
        assert (result.status, error.exception_class) == (TaskResultStatus.FAILED, LookupError)
        assert "LookupError: nothing is there" in error.traceback
        assert told[-1] == ("finished", "FAILED")
        with pytest.raises(ValueError, match="Task failed"):
            _ = result.return_value

    def test_of_what_took_too_long_says_so(self, queue: Queue) -> None:
        result = done(queue, take_too_long.enqueue())

        assert [error.exception_class for error in result.errors] == [SoftTimeLimit]

    def test_of_what_returns_no_json_is_a_failure(self, queue: Queue) -> None:
        result = done(queue, return_what_no_json_is.enqueue())

        assert (result.status, result.errors[0].exception_class) == (TaskResultStatus.FAILED, TypeError)

    def test_of_what_was_sent_again_from_the_console_has_both_tries(self, queue: Queue, redis: Redis) -> None:
        result = done(queue, fail.enqueue(words="once"))
        Job.fetch(result.id, connection=redis, serializer=JSONSerializer).requeue()

        done(queue, result)

        assert (result.attempts, len(result.errors)) == (2, 2)

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (JobStatus.QUEUED, "READY"),
            (JobStatus.SCHEDULED, "READY"),
            (JobStatus.DEFERRED, "READY"),
            (JobStatus.STARTED, "RUNNING"),
            (JobStatus.STOPPED, "FAILED"),
            (JobStatus.CANCELED, "FAILED"),
        ],
    )
    def test_says_in_djangos_words_where_the_job_is(self, redis: Redis, status: JobStatus, expected: str) -> None:
        result = add.enqueue(1)
        Job.fetch(result.id, connection=redis, serializer=JSONSerializer).set_status(status)

        result.refresh()

        assert result.status == expected

    def test_of_what_a_killed_worker_was_at_is_a_failure(self, queue: Queue, redis: Redis) -> None:
        """RQ finds it out when the worker has said nothing for a while."""
        result = add.enqueue(1)
        job = Job.fetch(result.id, connection=redis, serializer=JSONSerializer)
        job.set_status(JobStatus.STARTED)
        registry = StartedJobRegistry(queue=queue)
        redis.zadd(registry.key, {f"{job.id}:execution": 1})

        registry.cleanup()
        result.refresh()

        (error,) = result.errors
        assert (result.status, error.exception_class.__name__) == (TaskResultStatus.FAILED, "AbandonedJobError")
        assert "AbandonedJobError" in error.traceback

    def test_of_what_never_was_does_not_exist(self) -> None:
        for number in ("never-was", "no number: at all"):
            with pytest.raises(TaskResultDoesNotExist):
                add.get_result(number)

    def test_of_another_task_is_none_of_this_one(self) -> None:
        with pytest.raises(TaskResultMismatch):
            fail.get_result(add.enqueue(1).id)

    def test_of_what_is_no_task_does_not_exist(self) -> None:
        """A message of the engine's lies in the same queue."""
        message = Message(label="toy.kettle", pk=1, state="heating", generation=1)
        doorbell.ring(message, queue="storage", soft_s=60)

        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(message.job_id)


@task(queue_name="storage")
def go_on_for_long() -> str:
    """As if it took longer than RQ waits for a word of it."""
    under_way = RunsheetWorker.under_way
    assert under_way is not None
    at, job = under_way
    at.last_heartbeat = now() - timedelta(minutes=1)
    worker_module.go_on(Limits())
    said = at.last_heartbeat
    assert said > now() - timedelta(seconds=10)
    worker_module.go_on(Limits())
    assert at.last_heartbeat == said, "once is enough for a while"
    return str(job.id)


class TestGoOn:
    def test_does_nothing_outside_of_a_worker(self) -> None:
        worker_module.go_on(Limits())

    def test_ends_what_a_worker_is_at_that_was_told_to_stop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(RunsheetWorker, "told_to_stop", True)

        with pytest.raises(WorkerStopping):
            worker_module.go_on(Limits())

    @pytest.mark.process
    @pytest.mark.django_db(transaction=True)
    def test_tells_redis_of_a_job_that_takes_long(self, redis: Redis, queue: Queue) -> None:
        result = go_on_for_long.enqueue()

        def process() -> None:
            forget_measured()
            worker = RunsheetWorker([queue], connection=redis, serializer=JSONSerializer)
            worker.unsubscribe = lambda: None  # type: ignore[method-assign]  # RQ takes a second over it
            worker.work(burst=True, logging_level="WARNING")
            os._exit(0)

        connections.close_all()
        child = multiprocessing.get_context("fork").Process(target=process)
        child.start()
        child.join(30)
        result.refresh()

        assert (child.exitcode, result.errors) == (0, [])
        assert result.return_value == result.id
