import json
import logging
import time
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from redis import Redis

from bench.outages import (
    SmallDisk,
    postgres_full,
    postgres_read_only,
    redis_full,
    redis_lonely,
    redis_read_only,
    slow,
)
from core.base import redis_client
from core.base.database import NOT_MIGRATED
from core.ops import probes as core_probes
from core.ops.probes import Probe
from statemachine import heartbeat
from statemachine.models import Heartbeat
from tests.core.conftest import Manage
from tests.core.settings.test_production import filled_in
from tests.deaf import deaf_server
from tests.pooler import broken_itself, unpooled

LIVE, READY = "/health/live", "/health/ready"


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """None that another test has left asking."""
    monkeypatch.setattr(heartbeat, "database_works", Probe(heartbeat.database_works._ask))
    monkeypatch.setattr(core_probes, "redis_works", Probe(core_probes.redis_works._ask))


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

    @pytest.mark.process
    def test_is_there_in_production(self, manage: Manage) -> None:
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
        assert found["redis"].startswith(
            "Redis does not answer. See that it runs and that REDIS_URL is right. Saving works"
        )
        assert "secret" not in str(found)

    def test_says_of_redis_no_more_than_is_so_without_a_database(
        self, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        move_database(monkeypatch, port=1)

        _, found, _ = ask(client)

        assert found["redis"] == "Redis does not answer. See that it runs and that REDIS_URL is right."

    @pytest.mark.long
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
        assert found["database"].startswith("The database does not answer. See that it runs")

    @pytest.mark.long
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

        assert (status, found["reconciler"]) == (503, heartbeat.NO_RECONCILER)

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


@pytest.mark.usefixtures("at_work")
class TestReadyForWork:
    """What answers a ping may still do nothing of what the work needs."""

    @pytest.mark.parametrize(
        ("broken", "words"),
        [
            (redis_full, redis_client.FULL),
            (redis_read_only, redis_client.READ_ONLY),
            (redis_lonely, redis_client.DETACHED),
        ],
    )
    def test_names_what_redis_refuses(
        self, client: Client, settings: Settings, own_redis: str, broken: Any, words: str
    ) -> None:
        settings.REDIS_URL = own_redis
        with broken(own_redis):
            status, found, _ = ask(client)

        assert (status, found["status"]) == (200, "degraded")
        assert found["redis"] == f"{words} {core_probes.MEANWHILE}"

    def test_names_a_wrong_password_without_the_user(self, client: Client, settings: Settings, own_redis: str) -> None:
        settings.REDIS_URL = own_redis.replace("unix://", "unix://somebody:wrong@")

        _, found, _ = ask(client)

        assert found["redis"].startswith(redis_client.NO_ENTRY)
        assert "somebody" not in str(found)

    @pytest.mark.long
    def test_tells_slow_from_away(self, client: Client, settings: Settings, own_redis: str) -> None:
        with slow(own_redis, delay_s=0.26) as settings.REDIS_URL:
            status, found, seconds = ask(client)

        assert (status, found["status"]) == (200, "degraded")
        assert found["redis"].startswith("Redis is slow: it took 0.")
        assert seconds < 2

    def test_leaves_nothing_in_redis(self, client: Client, redis: Redis) -> None:
        ask(client)

        assert redis.keys("*probe*") == []

    @broken_itself
    def test_is_not_ready_when_the_database_is_read_only(self, client: Client, redis: Redis, database_url: str) -> None:
        with postgres_read_only(database_url):
            status, found, _ = ask(client)
        connection.close()

        assert (status, found["reconciler"]) == (503, "ok")
        assert found["database"].startswith("PostgreSQL is read-only, so nothing can be saved. DATABASE_URL must name")

    @broken_itself
    def test_is_not_ready_when_its_disk_is_full(
        self, client: Client, redis: Redis, database_url: str, small_disk: SmallDisk
    ) -> None:
        with postgres_full(database_url, small_disk, tables=("statemachine_heartbeat",)):
            status, found, _ = ask(client)

        assert status == 503
        assert (
            found["database"]
            == "PostgreSQL's disk is full, so nothing can be saved. Make room on the disk of its data."
        )

    def test_leaves_nothing_in_the_database(self, client: Client, redis: Redis) -> None:
        ask(client)

        assert Heartbeat.objects.count() == 1

    @pytest.mark.long
    def test_names_a_write_that_takes_too_long(self, client: Client, redis: Redis, settings: Settings) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE statemachine_heartbeat IN SHARE MODE")
            status, found, seconds = ask(client)

        assert (status, found["reconciler"]) == (503, "ok")
        assert found["database"].startswith("PostgreSQL took too long and was cut off. See its load")
        assert seconds < 2

    @unpooled
    def test_keeps_to_the_options_of_the_address(self, client: Client, redis: Redis, monkeypatch: Any) -> None:
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(options, "options", f"{options['options']} -c default_transaction_read_only=on")

        _, found, _ = ask(client)

        assert found["database"].startswith("PostgreSQL is read-only")


class TestProbe:
    def test_lets_an_answer_stand_for_a_while_but_no_failure(self) -> None:
        asked: list[int] = []

        def question() -> int:
            asked.append(1)
            if len(asked) == 1:
                raise ValueError
            return len(asked)

        probe = Probe(question, lasts_s=60)
        with pytest.raises(ValueError):  # noqa: PT011 - it has no words
            probe.start().result(5)

        assert (probe.start().result(5), probe.start().result(5)) == (2, 2)

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
