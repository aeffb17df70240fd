"""Looking at the queues changes nothing in them, and takes no longer than Redis may."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_rq import views
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Callback
from rq.job import Job

from console.machine import dashboard, rq_pages
from tests.console.machine.dashboard.conftest import HOME, page_of, queue_of, urls
from tests.deaf import deaf_server
from tests.redis_tls import as_admin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

type Ask = Callable[[str], Any]


def noted(job: Job, redis: Redis, *_: Any) -> None:
    """A job's callback, which leaves a trace."""
    redis.set("noted", job.id)


@pytest.fixture(params=["here", "in a thread"])
def asked(request: pytest.FixtureRequest, keeper: Client) -> Ask:
    """Ask for a page as a test does, and as a server with threads does."""

    def ask(url: str) -> Any:
        try:
            return keeper.get(url)
        finally:
            connections.close_all()

    def ask_in_a_thread(url: str) -> Any:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(ask, url).result()

    return ask if request.param == "here" else ask_in_a_thread


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
class TestAbandonedJob:
    """Its worker was killed, and the time by which it should have been heard of again is over."""

    @pytest.fixture(params=[f"{__name__}.noted", "no.such.callback", None])
    def abandoned(self, request: pytest.FixtureRequest, redis: Redis, settings: Settings) -> Job:
        callback = request.param and Callback(request.param)
        job = queue_of(redis).enqueue("time.sleep", 600, job_id="abandoned", on_failure=callback, meta={"a": 1})
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER, as_admin(settings.REDIS_URL)], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while not job.is_started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        worker.kill()
        worker.wait()
        redis.zunionstore("rq:wip:discovery", {"rq:wip:discovery": 0})  # long ago, instead of waiting
        return job

    @pytest.mark.usefixtures("unframed")
    def test_is_shown_on_every_page_and_not_touched_by_looking(self, abandoned: Job, asked: Ask, redis: Redis) -> None:
        """Its callback is for a worker to run, and its data stays JSON; when that is gone, it is no hindrance."""
        before = redis.hgetall(abandoned.key)
        started = reverse("admin:django_rq_started_jobs", args=[0])

        answers = {url: asked(url) for url in urls() + urls(job_id="abandoned")}

        assert {url for url, answer in answers.items() if answer.status_code not in (200, 302, 405)} == set()
        assert "Active Jobs" in answers[HOME].text
        assert "abandoned" in answers[started].text
        assert answers[f"{HOME}stats.json/"].json()["queues"][0]["started_jobs"] == 1
        assert redis.get("noted") is None
        assert redis.hgetall(abandoned.key) == before

        redis.delete(abandoned.key)

        assert "Started Job Executions in discovery" in asked(started).text


_WORKER = """
import sys
from redis import Redis
from rq import Queue, SimpleWorker
redis = Redis.from_url(sys.argv[1])
SimpleWorker([Queue("discovery", connection=redis)], connection=redis, serializer="json").work()
"""


class TestRedisAway:
    @pytest.fixture(params=["down", "hanging"])
    def _away(self, request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://127.0.0.1:{port if request.param == 'hanging' else 1}/0"
            settings.RQ_QUEUES = {"discovery": {"URL": settings.REDIS_URL, "SERIALIZER": "json"}}
            settings.DOORBELL_TIMEOUT_S = 0.05  # once for each address
            yield

    @pytest.mark.matrix
    @pytest.mark.usefixtures("_away")
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_said_soon_and_at_every_address(self, keeper: Client, method: str) -> None:
        begun = time.monotonic()

        answers = {url: getattr(keeper, method)(url, follow=True) for url in urls() if "/schedulers/" not in url}

        assert {url for url, answer in answers.items() if dashboard.REDIS_SILENT not in answer.text} == set()
        assert time.monotonic() - begun < 10

    @pytest.mark.usefixtures("_away")
    def test_is_said_soon_when_it_goes_while_it_is_looked_at(
        self, keeper: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dashboard, "ask", lambda _question: True)
        begun = time.monotonic()

        answers = [
            keeper.get(url, follow=True) for url in (HOME, page_of("any"), reverse("admin:django_rq_workers", args=[0]))
        ]

        assert all(dashboard.REDIS_SILENT in answer.text for answer in answers)
        assert time.monotonic() - begun < 5

    @pytest.mark.usefixtures("_away")
    def test_is_said_to_a_program_in_its_language(self, keeper: Client) -> None:
        answer = keeper.get(f"{HOME}stats.json/")

        assert (answer.status_code, answer.json()) == (503, {"error": dashboard.REDIS_SILENT})


class TestReplacements:
    def test_are_refused_when_there_is_nothing_to_replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(views, "StartedJobRegistry")

        with pytest.raises(AttributeError):
            rq_pages.change_nothing()
