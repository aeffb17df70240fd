"""The RQ worker: both time limits, and nothing of it outlives its parent.

What brings a dead worker's work back is the claim and the reconciler; RQ's own clean-up only tidies its registries.
With `statemachine.doorbell`, the only code that sees rq.
"""

import gc
import os
from typing import Any

from django.conf import settings
from django.db import connections
from rq import Worker
from rq.job import Job
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from core.child import end_with_parent
from core.errors import SoftTimeLimit


class DeathPenalty(UnixSignalDeathPenalty):
    """Raises what no `except Exception` around I/O can swallow when a job has run for too long."""

    def __init__(self, timeout: int, exception: type[BaseException] = JobTimeoutException, **kwargs: Any) -> None:
        raised = SoftTimeLimit if exception is JobTimeoutException else exception
        super().__init__(timeout, raised, **kwargs)  # type: ignore[no-untyped-call]  # rq types this class in part


class RunsheetWorker(Worker):
    """RQ's forking worker with short time-outs.

    The soft limit is the job's own time-out; the hard limit kills the work-horse.
    """

    death_penalty_class = DeathPenalty
    # After a Redis outage a worker looks again after this many seconds at the latest (RQ: 60).
    max_connection_wait_time = 2.0
    # How often it looks at its work-horse, and so how exactly the hard limit is kept.
    job_monitoring_interval_s = 5

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {
            "worker_ttl": 30,
            "job_monitoring_interval": self.job_monitoring_interval_s,
            "maintenance_interval": 60,
        }
        super().__init__(*args, **kwargs)
        self.log_job_description = False

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work until told to stop; the processes forked from here end with it."""
        end_with_parent()
        os.register_at_fork(after_in_child=end_with_parent)
        connections.close_all()
        # The work-horses share these pages with the worker; without this a collection in one copies them all.
        gc.collect()
        gc.freeze()
        return bool(super().work(*args, **kwargs))

    def maintain_heartbeats(self, job: Job) -> None:
        """Called every few seconds while a work-horse runs; kills it when it is beyond the hard limit."""
        if self.current_job_working_time > settings.DISCOVERY_TIME_LIMIT_S:
            self.log.warning("job %s ran beyond the hard limit; its work-horse is killed", job.id)
            self.kill_horse()
            return
        super().maintain_heartbeats(job)
