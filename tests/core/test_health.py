import json
import logging
import time
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from redis import Redis

from core import health
from core.database import NOT_MIGRATED
from core.probes import Probe
from statemachine import heartbeat
from statemachine.models import Heartbeat
from tests.core.settings.test_production import filled_in, manage
from tests.deaf import deaf_server

LIVE, READY = "/health/live", "/health/ready"


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """None that another test has left asking."""
    monkeypatch.setattr(health, "reconciler_age", Probe(health.reconciler_age._ask))
    monkeypatch.setattr(health, "redis_ping", Probe(health.redis_ping._ask))


@pytest.fixture
def at_work(transactional_db: None) -> None:
    heartbeat.beat(heartbeat.RECONCILER)


def late(seconds: float) -> None:
    Heartbeat.objects.update(at=Now() - timedelta(seconds=seconds))


def move_database(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Where new connections look for PostgreSQL."""
    monkeypatch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
    monkeypatch.setitem(connections.settings["default"], "PORT", str(port))


def ask(client: Client) -> tuple[int, dict[str, Any], float]:
    began = time.monotonic()
    answer = client.get(READY)
    return answer.status_code, json.loads(answer.content), time.monotonic() - began


@pytest.mark.django_db
class TestLive:
    def test_asks_nothing(self, client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            answer = client.get(LIVE)

        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert not answer.cookies

    def test_needs_no_known_host_and_no_https(self, client: Client, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True

        answer = client.get(LIVE, headers={"host": "10.0.0.7:8000"})

        assert answer.status_code == 200

    def test_is_there_in_production(self) -> None:
        script = "from django.test import Client; print(Client().get('/health/live').content.decode())"

        done = manage("shell", "--no-imports", "--command", script, environment=filled_in())

        assert done.stdout == '{"status": "ok"}\n'


@pytest.mark.usefixtures("at_work")
class TestReady:
    def test_is_ready_when_everything_answers(self, client: Client, redis: Redis) -> None:
        status, found, _ = ask(client)

        assert (status, found) == (200, {"status": "ok", "database": "ok", "redis": "ok", "reconciler": "ok"})

    def test_stays_ready_without_redis_and_says_so(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"

        status, found, _ = ask(client)

        assert (status, found["status"]) == (200, "degraded")
        assert found["redis"].startswith("Redis does not answer: saving works")
        assert "secret" not in str(found)

    def test_answers_in_time_when_redis_does_not(self, client: Client, settings: Settings) -> None:
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

            status, found, seconds = ask(client)

        assert (status, found["status"]) == (200, "degraded")
        assert seconds < 2

    def test_is_not_ready_without_a_database(
        self, client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        move_database(monkeypatch, port=1)

        status, found, _ = ask(client)

        assert (status, found["status"], found["redis"]) == (503, "unavailable", "ok")
        assert found["database"].startswith("PostgreSQL does not answer")

    def test_answers_in_time_when_the_database_does_not(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        with deaf_server() as port:
            move_database(monkeypatch, port=port)

            status, _, seconds = ask(client)
            _, _, again = ask(client)

        assert status == 503
        assert max(seconds, again) < 2

    def test_is_not_ready_when_no_reconciler_runs(self, client: Client, redis: Redis) -> None:
        late(95)

        status, found, _ = ask(client)

        assert (status, found["database"]) == (503, "ok")
        assert found["reconciler"].startswith("No reconciler has made a pass for 95 s")

    def test_is_not_ready_when_none_has_ever_run(self, client: Client, redis: Redis) -> None:
        Heartbeat.objects.all().delete()

        status, found, _ = ask(client)

        assert (status, found["reconciler"]) == (503, health.NO_RECONCILER)

    def test_is_not_ready_before_the_migration(self, client: Client, redis: Redis) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE statemachine_heartbeat RENAME TO gone")
        try:
            status, found, _ = ask(client)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE gone RENAME TO statemachine_heartbeat")

        assert (status, found["database"]) == (503, NOT_MIGRATED)

    def test_is_no_error_in_the_log(self, client: Client, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
        late(95)

        with caplog.at_level(logging.INFO):
            ask(client)

        assert [record for record in caplog.records if record.name.startswith("django")] == []


class TestProbe:
    def test_asks_once_for_all_who_ask_meanwhile(self) -> None:
        asked, go_on = [], Event()

        def question() -> int:
            asked.append(1)
            go_on.wait(10)
            return 42

        probe = Probe(question)
        first, second = probe.start(), probe.start()
        go_on.set()

        assert (first.result(5), second.result(5), len(asked)) == (42, 42, 1)

    def test_asks_again_once_it_has_an_answer(self) -> None:
        probe = Probe(object)

        assert probe.start().result(5) is not probe.start().result(5)
