"""The RQ worker: one process that does job after job, within both time limits, and never outlives its parent.

What brings a dead worker's work back is the claim and the reconciler; RQ's own clean-up only tidies its registries.
With `statemachine.doorbell` and what mends RQ's dashboard, the only code that sees rq
(docs/decisions/0003-workers-do-not-fork-per-job.md).
"""

import faulthandler
import logging
import os
import select
import signal
import time
from types import FrameType
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from core.base.errors import SoftTimeLimit, WorkerStopping
from core.base.redis_client import in_words, is_outage, patient
from core.local.child import end_with_parent
from core.ops.probes import exercise
from statemachine.interruptions import drop_if_torn
from statemachine.reactions import Limits, reaction_of_job
from statemachine.rq_worker import FewRoundsWorker

logger = logging.getLogger(__name__)

REDIS_POLL_S = 1
# A job that does not hear that it should stop is killed after this many seconds more.
DEAF_S = 5


class DeathPenalty(UnixSignalDeathPenalty):
    """Raises what no `except Exception` around I/O can swallow when a job has run for too long."""

    def __init__(self, timeout: int, exception: type[BaseException] = JobTimeoutException, **kwargs: Any) -> None:
        raised = SoftTimeLimit if exception is JobTimeoutException else exception
        allowed_s = min(timeout, settings.WORKER_STOP_S) if RunsheetWorker.told_to_stop else timeout
        super().__init__(allowed_s, raised, **kwargs)  # type: ignore[no-untyped-call]  # rq types this class in part

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> None:
        """The alarm rings: because of the time limit, or because the worker is to stop."""
        if RunsheetWorker.told_to_stop:
            raise WorkerStopping
        super().handle_death_penalty(signum, frame)  # type: ignore[no-untyped-call]


class RunsheetWorker(FewRoundsWorker):
    """Works in its own process, keeping its connections to PostgreSQL and Dropbox from job to job.

    The soft limit is the job's own time-out, an exception. The hard limit ends the process, whatever it hangs in, and
    shows where. Then the pool starts another process, and the claim runs out.
    """

    death_penalty_class = DeathPenalty
    # After a Redis outage a worker looks again after this many seconds at the latest (RQ: 60).
    max_connection_wait_time = 2.0
    # Then it ends and the pool starts another, so that nothing a library leaks can grow for ever.
    jobs_per_process = 1_000
    told_to_stop = False
    at_work = False
    under_way: "ClassVar[tuple[RunsheetWorker, Job] | None]" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("prepare_for_work", True):
            _await_redis(kwargs["connection"])
        kwargs |= {"worker_ttl": 30, "job_monitoring_interval": 5, "maintenance_interval": 60}
        super().__init__(*args, **kwargs)
        self.log_job_description = False

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work until told to stop; the scheduler that is forked from here ends with it."""
        end_with_parent()
        os.register_at_fork(after_in_child=end_with_parent)
        connections.close_all()
        try:
            return bool(super().work(*args, **kwargs | {"max_jobs": self.jobs_per_process}))
        except RedisError as error:  # of taking leave
            logger.warning("worker: it ends without taking leave. %s", in_words(error))
            return False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job. None when Redis takes nothing: then this worker ends, and the next one waits for Redis."""
        try:
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        except RedisError as error:
            if not is_outage(error):
                raise
            logger.warning("worker: it ends, and starts anew when Redis takes something. %s", in_words(error))
            return None

    def handle_warm_shutdown_request(self) -> None:
        """Let the job under way end, if it can in its time. This process ends in any case."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        RunsheetWorker.told_to_stop = True
        _end_soon()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do one job, with a watchdog of the C level that needs neither signals nor the interpreter's lock."""
        _fresh_connections()
        faulthandler.dump_traceback_later(_limits_of(job).hard_s, exit=True)
        try:
            with patient():
                RunsheetWorker.at_work, RunsheetWorker.under_way = True, (self, job)
                super().execute_job(job, queue)
        finally:
            RunsheetWorker.at_work, RunsheetWorker.under_way = False, None
            faulthandler.cancel_dump_traceback_later()
            _fresh_connections()


def begin_limits_anew(limits: Limits) -> None:
    """Begin the time limits of the work that the worker goes straight on with. Outside of a worker there are none."""
    if not RunsheetWorker.at_work or RunsheetWorker.told_to_stop:
        return
    signal.alarm(limits.soft_s)
    faulthandler.dump_traceback_later(limits.hard_s, exit=True)
    if RunsheetWorker.told_to_stop:  # meanwhile
        _end_soon()


def go_on(limits: Limits) -> None:
    """Go on with a job that takes longer than the work of a state: its limits begin anew, and RQ hears that it goes on.

    Outside of a worker there is nothing to do.

    Raises:
        WorkerStopping: the worker was told to stop.
    """
    if RunsheetWorker.told_to_stop:
        raise WorkerStopping
    begin_limits_anew(limits)
    if RunsheetWorker.under_way:
        worker, job = RunsheetWorker.under_way
        worker.say_that_it_goes_on(job)


def _end_soon() -> None:
    if left_s := signal.alarm(0):  # the soft limit's; there is none between jobs
        signal.alarm(min(left_s, settings.WORKER_STOP_S))
    faulthandler.dump_traceback_later(settings.WORKER_STOP_S + DEAF_S, exit=True)


def _limits_of(job: Job) -> Limits:
    """Those of the work that the job is about; the engine's own of a job that no reaction stands behind."""
    found = reaction_of_job(job.id)
    return found.limits if found else Limits()


def _await_redis(connection: Redis) -> None:
    """Wait until Redis works. Who ended instead would be started anew at once, again and again, each time with a traceback."""
    told = ""
    while trouble := _trouble(connection):
        if not told:
            end_with_parent()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)  # what is inherited from the pool would stop the pool, not this
        if trouble != told:
            logger.warning("worker: it starts when Redis works. %s", trouble)
        told = trouble
        time.sleep(REDIS_POLL_S)


def _trouble(connection: Redis) -> str:
    try:
        exercise(connection)
    except RedisError as error:
        return in_words(error)
    return ""


def _fresh_connections() -> None:
    """What Django does around a request: drop connections that are too old or broken, and forget logged queries.

    The server is not asked whether a connection is broken. A server that ends says so, and that can be read here.
    """
    for each in connections.all(initialized_only=True):
        drop_if_torn(each)
        if _has_ended(each):
            each.close()
        each.close_if_unusable_or_obsolete()
        each.health_check_done = True  # type: ignore[attr-defined]  # Django's types lack it
    reset_queries()


def _has_ended(database: BaseDatabaseWrapper) -> bool:
    if database.connection is None or database.connection.closed:
        return database.connection is not None
    # Between statements a server has nothing to say but that it ends, and then closes.
    return bool(select.select([database.connection.fileno()], [], [], 0)[0])
