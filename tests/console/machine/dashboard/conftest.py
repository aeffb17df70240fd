"""Who looks after the queues, what is in them, and every address of the dashboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from statemachine import doorbell
from statemachine.doorbell import Message
from tests.frames import unframed  # noqa: F401 - a fixture
from tests.workers import work_off

HOME = "/admin/django_rq/dashboard/"
MESSAGE = Message(label="leases.lease", pk=7, state="searching", generation=3)
THERE: dict[str, Any] = {
    "queue_index": 0,
    "job_id": MESSAGE.job_id,
    "result_id": "1-0",
    "key": "rq:worker:w",
    "scheduler_index": 0,
    "connection_index": 0,
    "scheduler_name": "s",
    "cron_job_name": "c",
    "token": "t",
}


def pages(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address that the project answers, with its pattern."""
    for each in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from pages(each, route)
        else:
            yield route, each


def urls(**values: Any) -> list[str]:
    """Every address of the dashboard that speaks of what is named here; without any, every one."""
    found = []
    for route, page in pages():
        if "django_rq/" in route or page.callback.__module__.startswith("django_rq"):
            names = page.pattern.regex.groupindex.keys()
            if values.keys() <= names:
                found.append(reverse(f"admin:{page.name}", kwargs={name: (THERE | values)[name] for name in names}))
    return found


def page_of(job_id: str) -> str:
    return reverse("admin:django_rq_job_detail", args=[0, job_id])


def queue_of(redis: Redis) -> Queue:
    return Queue("discovery", connection=redis, serializer=JSONSerializer)


def work(redis: Redis) -> None:
    """Let a worker do all that is queued."""
    work_off(queue_of(redis))


def permitted(*names: str) -> User:
    """Staff who may do this and nothing else."""
    user = User.objects.create_user("-".join(("may", *names)), is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert user.user_permissions.count() == len(names)
    return user


@pytest.fixture
def keeper(db: None, client: Client) -> Client:
    """Somebody who looks after the queues, and is nothing else."""
    client.force_login(permitted("use_queues"))
    return client


@pytest.fixture
def queued(redis: Redis) -> None:
    """A message of a lease, and a worker."""
    doorbell.ring(MESSAGE, queue="discovery", soft_s=60)
    SimpleWorker(["discovery"], name="w", connection=redis, serializer=JSONSerializer).register_birth()  # type: ignore[no-untyped-call]
