"""RQ's worker that does its jobs in its own process, with a third of the ways to Redis and back that it takes by itself.

What it writes of each job is the same: RQ's pages and its clean-up read it. It is only sent together.
"""

from datetime import timedelta
from typing import override

from redis import Redis
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.worker import WorkerStatus

from core.base.clock import now


class FewRoundsWorker(SimpleWorker):
    """For jobs that leave nothing behind (`result_ttl=0`) and that none depends on; any other has RQ's own way.

    Attributes:
        job_monitoring_interval: in seconds; no sooner does it say again that it is alive.
    """

    @override
    def _set_ip_address(self, connection: Redis) -> None:
        """Ask for this connection's address alone: to see all connections is a right that a worker need not have."""
        connection.client_setname(self.name)
        self.ip_address = str(connection.client_info()["addr"])

    @override
    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that it is alive, unless that was said a moment ago; RQ says so four times for each job."""
        if pipeline is None and timeout is None and self._was_alive_just_now():
            return
        super().heartbeat(timeout, pipeline)

    def say_that_it_goes_on(self, job: Job) -> None:
        """Of a job that takes longer than its time-out: who says nothing for a minute more than that counts as dead."""
        if not self._was_alive_just_now():
            self.maintain_heartbeats(job)

    def _was_alive_just_now(self) -> bool:
        last = self.last_heartbeat
        return last is not None and now() - last < timedelta(seconds=self.job_monitoring_interval)

    @override
    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Say what it is at, unless that is known."""
        if pipeline is not None or state != self.get_state():
            super().set_state(state, pipeline)

    @override
    def prepare_execution(self, job: Job) -> Execution | None:  # type: ignore[override]  # RQ's own worker uses no answer
        """Nothing yet: it goes with `prepare_job_execution`, which follows at once."""

    @override
    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Write that the job has begun."""
        with self.connection.pipeline() as pipeline:
            ttl_s = self.get_heartbeat_ttl(job)
            self.execution = Execution.create(job, ttl_s, pipeline=pipeline, worker_name=self.name)
            self.set_state(WorkerStatus.BUSY, pipeline=pipeline)
            self.set_current_job_id(job.id, pipeline=pipeline)
            self.set_current_job_working_time(0, pipeline=pipeline)
            self.heartbeat(ttl_s, pipeline=pipeline)
            job.prepare_for_execution(self.name, pipeline=pipeline)
            if remove_from_intermediate_queue:
                queue = Queue(job.origin, connection=self.connection)
                pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()

    @override
    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Write nothing yet: what became of the job is written in a moment."""
        job.ended_at = now()

    @override
    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry) -> None:
        """Write that the job has ended, and forget it."""
        if job.get_result_ttl(self.default_result_ttl) != 0 or job.repeats_left:
            super().handle_job_success(job, queue, started_job_registry)
            return
        assert job.ended_at is not None
        assert job.started_at is not None
        with self.connection.pipeline() as pipeline:
            self.increment_successful_job_count(pipeline)
            self.increment_total_working_time(job.ended_at - job.started_at, pipeline)
            self.cleanup_execution(job, pipeline)
            pipeline.delete(job.key, job.dependents_key, job.dependencies_key, job.execution_registry.key)
            self.set_state(WorkerStatus.IDLE, pipeline=pipeline)
            # With the time-out of a worker that has no job, which is shorter.
            self.heartbeat(pipeline=pipeline)
            pipeline.execute()
