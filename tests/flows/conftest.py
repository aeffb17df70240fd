"""One lease from creation to its end: real PostgreSQL, Redis, RQ worker and Dropbox wire protocol."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from core.worker import DeathPenalty
from discovery.services.dropbox_accounts import connect_account
from leases.models import AgencyStorageConfig, Lease
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from tests.live import environment, person, programs, system, valkey  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"


class InProcessWorker(SimpleWorker):
    """RQ's worker without the fork, so that the coverage and the debugger see the work."""

    death_penalty_class = DeathPenalty


@pytest.fixture(autouse=True)
def _fast_and_forgetful(settings: Settings) -> Iterator[None]:
    """Retries wait for as short as RQ can; nothing is remembered of other tests' Dropboxes."""
    settings.DISCOVERY_BACKOFF_BASE_S = 0.01
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def operator(olivia: User, dropbox: "Standin") -> User:
    """Olivia with her Dropbox connected, BLM configured, and the archive's folder there."""
    connect_account(user=olivia, refresh_token="standin-refresh-olivia")
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path="/d", misc_index_base_path="/m"
    )
    dropbox.put(f"{BLM}/")
    dropbox.clear_journal()
    return olivia


@pytest.fixture
def work_until_settled(redis: Redis) -> Callable[[], None]:
    """Let a worker and a reconciler work in turn until nothing is owed."""

    def work() -> None:
        queue = Queue("discovery", connection=redis, serializer=JSONSerializer)
        worker = InProcessWorker([queue], connection=redis, serializer=JSONSerializer)
        for _ in range(12):
            worker.work(burst=True, with_scheduler=True, logging_level="WARNING")
            if not Lease.objects.filter(due_at__isnull=False).exists():
                return
            # Instead of waiting: what is due later is due now, and no retry is left to RQ.
            Lease.objects.filter(claimed_until__isnull=True, due_at__isnull=False).update(due_at="2000-01-01T00:00Z")
            reconcile()
        pytest.fail(f"still owed: {list(Lease.objects.values('state', 'tries', 'failure_code'))}")

    return work


def history(lease: Lease) -> list[tuple[str, str]]:
    return list(TransitionLog.objects.of(lease).values_list("transition", "to_state"))


FULL_RUN = [
    ("start_search", "searching"),
    ("record_found", "found"),
    ("start_detection", "detecting"),
    ("record_detection", "done"),
]
