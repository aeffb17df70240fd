"""Looking at RQ's queues changes nothing in them: what django-rq's pages read with, replaced by what only reads."""

from types import ModuleType
from typing import Any

from django.conf import settings
from django_rq import cron_views, stats_views, utils, views
from django_rq.settings import get_queues_list
from redis import Redis
from rq import Queue, registry, serializers
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from core.base import redis_client


def change_nothing() -> None:
    """Put the replacements in place, in this process.

    Raises:
        AttributeError: django-rq no longer reads with one of them; see what it does instead.
    """
    # Pickled data runs code when it is read, and RQ falls back on pickle wherever django-rq names no serializer.
    _replace(serializers, PickleSerializer=JSONSerializer)
    jobs: dict[str, type[Any]] = {
        kind.__name__: _merely_read(kind)
        for kind in (
            registry.DeferredJobRegistry,
            registry.FailedJobRegistry,
            registry.FinishedJobRegistry,
            registry.ScheduledJobRegistry,
        )
    }
    jobs["StartedJobRegistry"] = StartedJobs
    jobs["Job"] = LegibleJob
    _replace(utils, **jobs, clean_registries=_leave, get_queue_by_index=queue_by_index, get_connection=connection)
    _replace(views, **jobs, get_queue_by_index=queue_by_index, get_executions=executions)
    _replace(cron_views, get_queue_by_index=queue_by_index)
    # Its metrics clean what they count, and one request can narrow them for all that follow.
    _replace(stats_views, RQCollector=None)


def queue_by_index(index: int) -> Queue:
    """A queue whose Redis has to answer quickly, also on connections that last."""
    return Queue(
        get_queues_list()[index]["name"], connection=connection(), job_class=LegibleJob, serializer=JSONSerializer
    )


def connection(*_: Any) -> Redis:
    return redis_client.connection(settings.REDIS_URL, settings.DOORBELL_TIMEOUT_S)


def executions(queue: Queue, keys: list[tuple[str, str]]) -> list[Execution]:
    """What is under way; the page about it needs the data of each job."""
    return [each for each in utils.get_executions(queue, keys) if Job.exists(each.job_id, connection=queue.connection)]


class LegibleJob(Job):
    """One that can be listed and deleted although RQ cannot read all that Redis holds of it."""

    def restore(self, raw_data: Any) -> None:
        """Take of what Redis holds all that makes sense."""
        if not self._makes_sense(raw_data):
            data = {b"data": raw_data[b"data"]}
            raw_data = {name: value for name, value in raw_data.items() if self._makes_sense({**data, name: value})}
        super().restore(raw_data)
        self.enqueued_at = self.enqueued_at or self.created_at

    def _makes_sense(self, raw_data: dict[bytes, bytes]) -> bool:
        try:
            super().restore(raw_data)
        except NoSuchJobError:
            raise
        except Exception:  # noqa: BLE001 - anything may be wrong with it
            return False
        return True

    def get_status(self, refresh: bool = True) -> JobStatus:  # noqa: FBT001, FBT002 - RQ's signature
        """As what the job was last seen, if it is now something that RQ does not know."""
        try:
            return super().get_status(refresh)
        except ValueError:
            return self._status


class StartedJobs(registry.StartedJobRegistry):
    """The registry of the jobs under way, which a look must not clean.

    Cleaning runs the callbacks of abandoned jobs. They would run here instead of in a worker, under a signal that only
    a main thread can have.
    """

    def cleanup(self, *_: Any, **__: Any) -> None:
        """Left to the workers."""

    def remove(self, *_: Any, **__: Any) -> None:
        """Leave the entry of a job whose data is gone. RQ cannot remove it by its id here; a worker does so in time."""


def _merely_read(kind: type[registry.BaseRegistry]) -> type[registry.BaseRegistry]:
    return type(kind.__name__, (kind,), {"cleanup": _leave})


def _leave(*_: Any, **__: Any) -> None:
    """A worker does it every minute."""


def _replace(module: ModuleType, **replacements: Any) -> None:
    for name, replacement in replacements.items():
        getattr(module, name)
        setattr(module, name, replacement)
