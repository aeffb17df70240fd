"""One lease from creation to its end: real PostgreSQL, Redis, RQ worker and Dropbox wire protocol."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from leases import runs, services
from leases.models import Lease
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from statemachine.transitions import Step
from tests.factories import BLM as ARCHIVES
from tests.factories import configured, give_dropbox
from tests.leases.starting import person_takes
from tests.live import Site, _busy_others, await_that, person, system  # noqa: F401 - some are fixtures
from tests.redis_tls import OwnRedis
from tests.workers import work_off

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = ARCHIVES
NUMBER = "NMNM 0501759"
ARCHIVE = f"{BLM}/{NUMBER}"
REPORT = f"{ARCHIVE}/Master Documents.pdf"
ELSEWHERE = "/Federal Workspace/Elsewhere"

type Work = Callable[[], None]


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
    give_dropbox(olivia, dropbox)
    configured()
    dropbox.put(f"{BLM}/")
    return olivia


@pytest.fixture
def valkey(live_site: Site, settings: Settings) -> OwnRedis:
    """That of the site, empty; a test may kill it and start it again."""
    running = live_site.system.valkey
    settings.REDIS_URL = running.url
    with running.client() as connection:
        connection.flushall()
    return running


@pytest.fixture
def programs(live_site: Site, valkey: OwnRedis) -> Iterator[Callable[..., None]]:
    """Start programs of the site; they end before the database is emptied."""
    with ExitStack() as stack:
        stack.callback(await_that, lambda: not _busy_others(), within_s=30)
        yield lambda *wanted: stack.enter_context(live_site._forks.running(*wanted, logs=live_site.system.logs))


@pytest.fixture
def work_until_settled(redis: Redis) -> Callable[[], None]:
    """Let a worker and a reconciler work in turn until nothing is owed."""

    def work() -> None:
        queue = Queue("discovery", connection=redis, serializer=JSONSerializer)
        for _ in range(12):
            work_off(queue, with_scheduler=True, logging_level="WARNING")
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


@pytest.fixture
def colleague(dropbox: "Standin", django_user_model: type[User]) -> Callable[[str], User]:
    """A person who has connected the stand-in's account of that name."""

    def made(name: str) -> User:
        user = django_user_model.objects.create_superuser(name)
        give_dropbox(user, dropbox, name)
        return user

    return made


@pytest.fixture
def found(operator: User, dropbox: "Standin", work_until_settled: Work) -> Lease:
    """Olivia's run has found the report."""
    dropbox.put(REPORT)
    lease = services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
    work_until_settled()
    return Lease.objects.get(pk=lease.pk)


def link_of(lease: Lease) -> str:
    assert lease.runsheet_directory is not None
    return lease.runsheet_directory.share_url


@pytest.fixture
def run(work_until_settled: Work) -> Callable[..., Lease]:
    """Have somebody run the lease, and let it settle."""

    def settled(lease: Lease, user: User, step: Step = runs.FULL_DISCOVERY) -> Lease:
        person_takes(step, lease_id=lease.pk, user=user)
        work_until_settled()
        return Lease.objects.get(pk=lease.pk)

    return settled
