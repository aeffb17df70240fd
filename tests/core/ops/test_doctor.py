"""Each thing that can be wrong is named, with what to do about it; and the doctor goes on with anything away."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench.outages import postgres_closed, postgres_read_only, redis_full, redis_read_only, slow
from core.base import redis_client
from core.local import servers
from core.ops import doctor, probes
from core.ops.doctor import finding
from core.ops.doctor import servers as doctors_servers
from core.ops.doctor.finding import Finding, Mark
from dropbox_standin.client import Standin
from dropbox_standin.process import Tls, running
from leases.models import AgencyStorageConfig
from statemachine import heartbeat
from statemachine.models import Heartbeat
from statemachine.reactions import queues
from statemachine.worker import RunsheetWorker
from tests.core.conftest import Manage
from tests.core.settings.test_production import filled_in
from tests.deaf import deaf_server
from tests.dropbox_standin.conftest import tls  # noqa: F401 - a fixture
from tests.factories import give_dropbox
from tests.pooler import broken_itself, unpooled

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = {
    "runsheet_archive_base_path": "/Archive",
    "documents_base_path": "/Documents",
    "misc_index_base_path": "/Index",
}

type Part = Callable[[], Iterator[Finding]]


@pytest.fixture(scope="session")
def durable_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that keeps what it holds, as production's does; the tests' own does not."""
    with servers._valkey(tmp_path_factory.mktemp("valkey"), durable=True) as (url, _):
        yield url


@pytest.fixture(autouse=True)
def answering(redis: Redis) -> None:
    redis_client._silent_until.clear()


@pytest.fixture
def well(durable_redis: str, settings: Settings, dropbox: Standin, django_user_model: Any) -> Redis:
    """An installation with nothing wrong."""
    settings.REDIS_URL = durable_redis
    settings.HAS_MAIL_SERVER = False
    settings.DEBUG = True  # the tests' own settings are none for production
    redis = Redis.from_url(durable_redis)
    redis.flushall()
    listen(redis, *queues())
    heartbeat.beat(heartbeat.RECONCILER)
    for agency in ("NMSLO", "BLM"):
        AgencyStorageConfig.objects.create(agency=agency, **PATHS)
    user = django_user_model.objects.create_user("olivia", "olivia@example.com")
    give_dropbox(user, dropbox)
    return redis


def listen(redis: Redis, *names: str) -> RunsheetWorker:
    found = [Queue(name, connection=redis, serializer=JSONSerializer) for name in names]
    worker = RunsheetWorker(found, connection=redis, serializer=JSONSerializer, name=f"on-{names[0]}")
    worker.register_birth()  # type: ignore[no-untyped-call]  # rq types this class in part
    return worker


def examine(*, json_: bool = False) -> tuple[int, str]:
    """The exit code and what was written."""
    written = StringIO()
    try:
        call_command("doctor", json=json_, stdout=written)
    except SystemExit as end:
        return int(str(end.code)), written.getvalue()
    return 0, written.getvalue()


def parts_that_are_wrong(page: str) -> set[str]:
    return {line.split()[1] for line in page.splitlines() if line.startswith("✗")}


def wrong(part: Part) -> list[str]:
    """What is wrong and what to do, in one text each."""
    return [f"{found.seen}. {found.advice}" for found in part() if found.mark == Mark.WRONG]


def notes(part: Part) -> list[str]:
    return [found.seen for found in part() if found.mark == Mark.NOTE]


def move_database(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
    monkeypatch.setitem(connections.settings["default"], "PORT", str(port))


class TestCommand:
    def test_finds_nothing_where_nothing_is_wrong(self, well: Redis) -> None:
        code, page = examine()

        assert (code, page.splitlines()[-1]) == (0, "All is well.")
        assert "✗" not in page
        assert {line.split("  ")[0][2:] for line in page.splitlines()[:-2] if line[0] in "✓!"} == set(doctor.PARTS)

    def test_says_what_is_wrong_and_what_to_do(self, well: Redis) -> None:
        Heartbeat.objects.update(at=Now() - timedelta(seconds=95))

        code, page = examine()

        assert code == 1
        assert "✗ Reconciler       last pass 95 s ago\n" in page
        assert (
            "→ If all is being started just now, look again in a minute. No reconciler has made a pass for 95 s: lost "
            "messages and imported records wait. See that it runs" in page
        )
        assert page.endswith("1 thing is wrong.\n")

    def test_says_the_same_as_one_document(self, well: Redis) -> None:
        code, written = examine(json_=True)

        document = json.loads(written)
        assert (code, document["well"]) == (0, True)
        assert {"part": "Redis", "mark": "ok", "seen": "keeps messages on disk", "advice": ""} in document["findings"]

    @pytest.mark.long
    def test_goes_on_with_everything_away(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        move_database(monkeypatch, port=1)
        settings.DROPBOX_BASE_URL = "http://127.0.0.1:1"
        settings.DEBUG = True
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://:hunter2@127.0.0.1:{port}/0"

            code, page = examine()

        assert code == 1
        assert parts_that_are_wrong(page) == {"PostgreSQL", "Redis", "Dropbox"}
        assert page.count("without PostgreSQL") == 11
        assert "hunter2" not in page

    @pytest.mark.process
    def test_is_a_program_that_needs_nothing(self, manage: Manage) -> None:
        nowhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}
        dropbox = {"DROPBOX_BASE_URL": "http://127.0.0.1:1"}

        done = manage("doctor", environment=filled_in() | nowhere | dropbox)

        assert done.returncode == 1
        assert done.stderr == ""
        assert "✗ PostgreSQL       does not answer\n" in done.stdout
        assert "✗ Storage          cannot be used\n" in done.stdout
        # Another test of this worker's may have collected the files of pages.
        assert parts_that_are_wrong(done.stdout) - {"Pages"} == {"PostgreSQL", "Redis", "Storage", "Dropbox"}

    def test_goes_on_when_a_check_breaks(self, well: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(doctor.PARTS, "Redis", lambda: iter([1 / 0]))

        code, page = examine()

        assert code == 1
        assert "✗ Redis            could not be looked at (ZeroDivisionError: division by zero)" in page
        assert "✓ Reconciler" in page


class TestDatabase:
    def test_names_missing_migrations(self) -> None:
        ((app, name),) = MigrationLoader(connection).graph.leaf_nodes("leases")
        MigrationRecorder(connection).record_unapplied(app, name)
        try:
            (found,) = wrong(doctors_servers.database)
        finally:
            MigrationRecorder(connection).record_applied(app, name)

        assert f"1 migration is missing (leases.{name}). Run: python manage.py migrate" in found

    def test_names_one_whose_restore_is_not_through(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE runsheet_restore (backup text)")
            try:
                (found,) = wrong(doctors_servers.database)
            finally:
                cursor.execute("DROP TABLE runsheet_restore")

        assert "a restore is not through. Rows and files may not fit each other." in found

    def test_names_one_that_is_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctors_servers, "OLDEST_POSTGRESQL", 99)

        (found,) = wrong(doctors_servers.database)

        assert "use PostgreSQL 99 or later" in found

    @unpooled
    def test_names_one_behind_a_pooler_that_says_no_limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {**options, "options": "-c lock_timeout=0"})

        (found,) = wrong(doctors_servers.database)

        assert "Nothing ends idle_in_transaction_session_timeout or lock_timeout: set it in the pooler" in found

    @broken_itself
    def test_names_one_that_takes_nothing(self, database_url: str) -> None:
        with postgres_read_only(database_url):
            found = wrong(doctors_servers.database)
        connection.close()

        (sentence,) = found
        assert sentence.startswith("takes nothing. PostgreSQL is read-only, so nothing can be saved (cannot execute")
        assert "DATABASE_URL must name the primary" in sentence

    @broken_itself
    def test_names_one_that_lets_nobody_in(self, database_url: str) -> None:
        with postgres_closed(database_url):
            (found,) = wrong(doctors_servers.database)

        assert found.startswith('cannot be used. PostgreSQL stops, starts or recovers (database "test_')

    def test_names_one_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "PATIENCE_S", 0.2)

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE statemachine_heartbeat")
            found = wrong(doctors_servers.database)

        assert found[-1].startswith("takes nothing. Writing takes longer than")


class TestRedis:
    @pytest.mark.parametrize(
        ("broken", "words"), [(redis_full, redis_client.FULL), (redis_read_only, redis_client.READ_ONLY)]
    )
    def test_names_one_that_takes_nothing(self, settings: Settings, own_redis: str, broken: Any, words: str) -> None:
        settings.REDIS_URL = own_redis
        with broken(own_redis):
            found = wrong(doctors_servers.redis)

        assert found[0] == f"does not do what the work needs. {words} {probes.MEANWHILE}"

    @broken_itself
    def test_promises_nothing_that_only_postgresql_can_keep(self, settings: Settings, database_url: str) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        with postgres_read_only(database_url):
            found = wrong(doctors_servers.redis)
        connection.close()

        assert found[0].endswith("See that it runs and that REDIS_URL is right.")

    @pytest.mark.long
    def test_names_one_that_is_slow(self, settings: Settings, own_redis: str) -> None:
        with slow(own_redis, delay_s=0.5) as settings.REDIS_URL:
            found = next(doctors_servers.redis())

        assert (found.mark, found.seen[:12]) == (Mark.NOTE, "is slow: 0.5")

    def test_names_one_that_forgets_at_a_restart(self) -> None:
        assert any("appendonly yes" in found for found in wrong(doctors_servers.redis))

    def test_names_one_that_throws_messages_away(self, well: Redis) -> None:
        well.config_set("maxmemory-policy", "allkeys-lru")
        try:
            (found,) = wrong(doctors_servers.redis)
        finally:
            well.config_set("maxmemory-policy", "noeviction")

        assert found.startswith("maxmemory-policy is allkeys-lru")

    def test_names_pickled_messages(self, well: Redis, settings: Settings) -> None:
        settings.RQ_QUEUES = {"discovery": {"URL": settings.REDIS_URL}}

        (found,) = wrong(doctors_servers.redis)

        assert "Set SERIALIZER to json for discovery in RQ_QUEUES" in found


class TestWorkers:
    def test_names_a_queue_without_any(self) -> None:
        found = wrong(doctors_servers.workers)

        begins = "none on “discovery”. Nothing is done. If all is being started just now, look again in a minute. Start some: "
        assert any(each.startswith(f"{begins}python manage.py rqworker-pool") for each in found)

    def test_names_those_on_the_wrong_queue(self, redis: Redis) -> None:
        listen(redis, "default")

        assert any(
            "none on “discovery”, 1 on default. Those listen to the wrong queue" in each
            for each in wrong(doctors_servers.workers)
        )

    def test_names_suspended_ones(self, redis: Redis) -> None:
        listen(redis, *queues()).set_state("suspended")

        found = wrong(doctors_servers.workers)

        assert found[0] == "1 on “discovery”, suspended. Nothing is done. Run: python manage.py rqresume"


class TestReconciler:
    def test_names_one_that_has_never_run(self) -> None:
        (found,) = wrong(doctors_servers.reconciler)

        assert "has never run. If all is being started just now, look again in a minute." in found
        assert "python manage.py reconcile" in found


class TestDropbox:
    def test_names_one_that_does_not_answer(self, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = "http://127.0.0.1:1"

        (found,) = wrong(doctors_servers.dropbox)

        assert found.startswith("http://127.0.0.1:1 does not answer (ConnectionError)")

    @pytest.mark.process
    def test_names_one_that_cannot_prove_who_it_is(self, settings: Settings, tls: Tls) -> None:  # noqa: F811 - the fixture
        with running(tls=tls) as standin:
            settings.DROPBOX_BASE_URL = standin.base_url

            (found,) = wrong(doctors_servers.dropbox)

        assert "cannot prove who it is" in found

    def test_names_an_address_that_tokens_must_not_travel_to(self, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = "http://dropbox.example.com"

        (found,) = wrong(doctors_servers.dropbox)

        assert "plain http on loopback only" in found

    @pytest.mark.parametrize(("debug", "expected"), [(False, 1), (True, 0)])
    def test_names_a_missing_app_in_production(self, settings: Settings, debug: bool, expected: int) -> None:
        settings.DROPBOX_BASE_URL = settings.DROPBOX_APP_KEY = ""
        settings.DEBUG = debug

        assert len(wrong(doctors_servers.dropbox)) == expected
