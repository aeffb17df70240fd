"""What RQ's pages and its clean-up read of a job, before, while and after it is done."""

import json
from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline
from rq import Queue, get_current_job
from rq.job import Job
from rq.registry import FinishedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from core.base.clock import now
from statemachine.rq_worker import FewRoundsWorker
from tests.workers import InProcessWorker

LOOK = "tests.statemachine.test_rq_worker.look"
SEEN = "seen"


def look() -> None:
    """The job: what can be read of itself."""
    job = get_current_job()
    assert job is not None
    worker: dict[bytes, bytes] = job.connection.hgetall(f"rq:worker:{job.worker_name}")  # type: ignore[assignment]  # redis types its answers for both of its clients
    registry = StartedJobRegistry(job.origin, connection=job.connection, serializer=JSONSerializer)
    seen = {
        "status": job.get_status(),
        "started": registry.get_job_ids(),
        "executions": len(job.get_executions()),
        "state": worker[b"state"].decode(),
        "current_job": worker[b"current_job"].decode(),
        "remembered_s": job.connection.ttl(f"rq:worker:{job.worker_name}"),
    }
    job.connection.set(SEEN, json.dumps(seen))


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("toy", connection=redis, serializer=JSONSerializer)


def work_off(*queues: Queue) -> FewRoundsWorker:
    worker = InProcessWorker(list(queues), connection=queues[0].connection, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")
    return worker


def seen(redis: Redis) -> dict[str, Any]:
    return dict(json.loads(str(redis.get(SEEN), "ascii")))  # type: ignore[arg-type]  # redis types its answers for both


class TestAJob:
    def test_is_seen_under_way(self, queue: Queue, redis: Redis) -> None:
        job = queue.enqueue(LOOK, result_ttl=0, job_timeout=90)

        work_off(queue)

        assert seen(redis) == {
            "status": "started",
            "started": [job.id],
            "executions": 1,
            "state": "busy",
            "current_job": job.id,
            "remembered_s": pytest.approx(150, abs=5),
        }

    def test_leaves_nothing_behind_but_that_it_was_done(self, queue: Queue, redis: Redis) -> None:
        queue.enqueue(LOOK, result_ttl=0)

        worker = work_off(queue)

        assert [key for key in redis.keys("rq:*") if b"job" in key or b"exec" in key or b"wip" in key] == []
        done = {name: redis.hget(worker.key, name) for name in ("successful_job_count", "state", "current_job")}
        assert done == {"successful_job_count": b"1", "state": b"idle", "current_job": None}

    def test_is_begun_and_ended_in_one_way_to_redis_each(self, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[int] = []
        execute = Pipeline.execute

        def noting(pipeline: Any, *arguments: Any, **options: Any) -> Any:
            sent.append(len(pipeline.command_stack))
            return execute(pipeline, *arguments, **options)

        monkeypatch.setattr(Pipeline, "execute", noting)

        def ways(jobs: int) -> int:
            for _ in range(jobs):
                queue.enqueue("os.getpid", result_ttl=0)
            sent.clear()
            work_off(queue)
            return len(sent)

        # Before each, a worker asks whether workers are suspended.
        assert ways(5) - ways(2) == 3 * (1 + 2)

    def test_whose_result_is_wanted_is_kept(self, queue: Queue, redis: Redis) -> None:
        job = queue.enqueue("os.getpid", result_ttl=60)

        work_off(queue)

        assert FinishedJobRegistry("toy", connection=redis, serializer=JSONSerializer).get_job_ids() == [job.id]
        assert Job.fetch(job.id, connection=redis, serializer=JSONSerializer).get_status() == "finished"

    def test_is_found_in_several_queues(self, queue: Queue, redis: Redis) -> None:
        other = Queue("other", connection=redis, serializer=JSONSerializer)
        other.enqueue(LOOK, result_ttl=0)

        work_off(queue, other)

        assert seen(redis)["state"] == "busy"


class TestHeartbeat:
    def test_is_not_repeated_within_a_moment(self, queue: Queue, redis: Redis) -> None:
        worker = InProcessWorker([queue], connection=redis, serializer=JSONSerializer)
        worker.last_heartbeat = now()

        worker.heartbeat()
        told = redis.hexists(worker.key, "last_heartbeat")
        worker.job_monitoring_interval = 0
        worker.heartbeat()

        assert not told
        assert redis.hexists(worker.key, "last_heartbeat")

    def test_comes_with_a_worker_that_was_never_seen(self, queue: Queue, redis: Redis) -> None:
        worker = InProcessWorker([queue], connection=redis, serializer=JSONSerializer)

        worker.heartbeat()

        assert redis.hexists(worker.key, "last_heartbeat")
