"""One scrape tells of everything."""

from datetime import timedelta
from typing import Any, get_args

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench import outages
from core.base import redis_client
from core.http.metrics import HELP
from core.ops import postgres, probes, tally
from core.ops.probes import Probe, ask_database, ask_redis, exercise
from statemachine import heartbeat
from statemachine.models import Heartbeat
from statemachine.reactions import machines
from statemachine.worker import RunsheetWorker
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db
TOKEN = "scrape-me-if-you-can"


@pytest.fixture(autouse=True)
def scraped(redis: Redis, settings: Settings) -> None:
    redis_client._silent_until.clear()
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels, as Prometheus reads it."""
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(client: Client, name: str, **labels: Any) -> float | None:
    return scrape(client).get((f"runsheet_{name}", tuple(sorted(labels.items()))))


def kettle(**values: Any) -> Kettle:
    return Kettle.objects.create(**{"state": "heating", "generation": 1, **values})


class TestAccess:
    def test_is_for_who_knows_the_token(self, client: Client) -> None:
        assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/metrics", headers={"authorization": "Bearer another"}).status_code == 401
        assert client.get("/metrics").status_code == 401

    def test_is_for_superusers(self, client: Client, olivia: User, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""
        client.force_login(olivia)

        assert client.get("/metrics").status_code == 200

    def test_is_not_for_other_staff(self, client: Client) -> None:
        client.force_login(User.objects.create_user("paul", is_staff=True))

        assert client.get("/metrics").status_code == 401

    def test_is_for_nobody_by_an_empty_token(self, client: Client, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""

        assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401


class TestMachines:
    def test_are_told_by_state(self, client: Client) -> None:
        kettle(), kettle(), kettle(state="ready", due_at=None)

        assert value(client, "records", machine="toy.kettle", state="heating") == 2
        assert value(client, "records", machine="toy.kettle", state="ready") == 1
        assert value(client, "records", machine="toy.kettle", state="broken") == 0
        assert value(client, "records", machine="leases.lease", state="searching") == 0

    def test_owe_work_since(self, client: Client) -> None:
        kettle(entered_at=Now() - timedelta(seconds=70), due_at=Now() + timedelta(seconds=9))
        kettle(entered_at=Now() - timedelta(seconds=900), state="ready", due_at=None)

        found = scrape(client)

        of = (("machine", "toy.kettle"),)
        assert found["runsheet_owed_records", of] == 1
        assert 70 <= found["runsheet_oldest_owed_seconds", of] < 80

    def test_wait_for_the_workers_of_a_queue_since(self, client: Client) -> None:
        kettle(entered_at=Now() - timedelta(seconds=70))
        kettle(entered_at=Now() - timedelta(seconds=900), due_at=Now() + timedelta(seconds=9))

        found = scrape(client)

        assert found["runsheet_queue_owed_records", (("queue", "toy"),)] == 1
        assert 70 <= found["runsheet_queue_oldest_owed_seconds", (("queue", "toy"),)] < 80
        assert found["runsheet_queue_oldest_owed_seconds", (("queue", "storage"),)] == 0

    def test_are_behind_with_dispatching_by_lane(self, client: Client) -> None:
        kettle(due_at=Now() - timedelta(seconds=20), background=False)
        kettle(due_at=Now() - timedelta(seconds=300), background=True)
        kettle(due_at=Now() - timedelta(seconds=900), rung_at=Now(), background=False)
        kettle(due_at=Now() - timedelta(seconds=900), claimed_until=Now() + timedelta(seconds=9), background=False)

        found = scrape(client)

        by_hand, background = (
            found["runsheet_dispatch_lag_seconds", (("lane", lane), ("machine", "toy.kettle"))]
            for lane in ("by_hand", "background")
        )
        assert 20 <= by_hand < 30
        assert 300 <= background < 310

    def test_tell_what_is_being_repeated(self, client: Client) -> None:
        kettle(tries=1), kettle(tries=2), kettle(tries=3, state="broken", due_at=None)

        assert value(client, "retrying_records", machine="toy.kettle") == 1

    def test_need_few_queries(self, client: Client) -> None:
        kettle()

        with CaptureQueriesContext(connection) as queries:
            scrape(client)

        of_storage, of_archives = 1, 2  # that there is none
        of_connections, of_quotas, of_postgres, of_backups = 1, 1, 3, 1
        parts = of_storage + of_archives + of_connections + of_quotas + of_postgres + of_backups
        assert len(queries) == len(machines()) + 1 + parts


class TestPrograms:
    def test_tell_how_old_the_reconcilers_pass_is(self, client: Client) -> None:
        assert value(client, "reconciler_age_seconds") is None
        heartbeat.beat(heartbeat.RECONCILER)
        Heartbeat.objects.update(at=Now() - timedelta(seconds=50))

        age_s = value(client, "reconciler_age_seconds")

        assert age_s is not None
        assert 50 <= age_s < 55

    def test_tell_what_waits_and_who_listens(self, client: Client, redis: Redis) -> None:
        queue = Queue("toy", connection=redis, serializer=JSONSerializer)
        queue.enqueue("statemachine.jobs.run", "toy.kettle", 1, "heating", 1)
        worker = RunsheetWorker([queue], connection=redis, serializer=JSONSerializer, name="here")
        worker.register_birth()  # type: ignore[no-untyped-call]  # rq types this class in part
        worker.set_state("busy")
        redis.sadd("rq:workers", "rq:worker:killed-long-ago")

        found = scrape(client)

        assert found["runsheet_queue_messages", (("queue", "toy"),)] == 1
        assert found["runsheet_workers", (("queue", "toy"), ("state", "busy"))] == 1
        assert found["runsheet_workers", (("queue", "toy"), ("state", "idle"))] == 0
        assert found["runsheet_workers", (("queue", "discovery"), ("state", "idle"))] == 0


class TestTallies:
    def test_are_all_explained(self) -> None:
        assert set(HELP) == {*get_args(tally.Counted.__value__), *get_args(tally.Observed.__value__)}

    def test_are_counters_and_cumulated_histograms(self, client: Client) -> None:
        tally.count("tries", 3, machine="toy.kettle", state="heating")
        for seconds in (0.4, 7, 4_000):
            tally.observe("settle_seconds", seconds, machine="toy.kettle", state="ready")

        found = scrape(client)

        of = (("machine", "toy.kettle"), ("state", "ready"))
        buckets = {
            dict(labels)["le"]: count
            for (name, labels), count in found.items()
            if name == "runsheet_settle_seconds_bucket"
        }
        assert found["runsheet_tries_total", (("machine", "toy.kettle"), ("state", "heating"))] == 3
        assert (buckets["1.0"], buckets["5.0"], buckets["10.0"], buckets["600.0"], buckets["+Inf"]) == (1, 1, 2, 2, 3)
        assert found["runsheet_settle_seconds_count", of] == 3
        assert found["runsheet_settle_seconds_sum", of] == pytest.approx(4_007.4)

    def test_begin_at_zero_where_one_is_too_much(self, client: Client) -> None:
        of = (("code", "bug"), ("machine", "toy.kettle"), ("state", "heating"))
        assert scrape(client)["runsheet_tries_given_up_total", of] == 0

        tally.count("tries_given_up", machine="toy.kettle", state="heating", code="bug")

        assert scrape(client)["runsheet_tries_given_up_total", of] == 1


class TestPostgres:
    def test_tells_how_full_and_how_busy_it_is(self, client: Client) -> None:
        found = scrape(client)

        assert found["runsheet_database_bytes", ()] > 1e6
        assert 1 <= found["runsheet_database_connections", ()] <= found["runsheet_database_connections_at_most", ()]
        assert found["runsheet_database_oldest_transaction_seconds", ()] >= 0

    def test_tells_of_the_largest_tables(self, client: Client) -> None:
        found = scrape(client)

        named = [dict(labels)["table"] for name, labels in found if name == "runsheet_table_bytes"]
        assert len(named) == postgres.LARGEST_TABLES
        assert [dict(labels)["table"] for name, labels in found if name == "runsheet_table_dead_rows"] == named

    @pytest.mark.django_db(transaction=True)
    def test_tells_of_a_transaction_that_somebody_left_open(self, client: Client, database_url: str) -> None:
        with psycopg.connect(database_url) as forgotten:
            forgotten.execute("SELECT 1")

            assert scrape(client)["runsheet_database_oldest_transaction_seconds", ()] > 0


class TestWriting:
    @pytest.fixture(autouse=True)
    def asked_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "database_works", Probe(lambda: ask_database(heartbeat.look)))
        monkeypatch.setattr(probes, "redis_works", Probe(lambda: ask_redis(exercise)))

    def test_is_taken(self, client: Client) -> None:
        assert value(client, "writable", part="database") == value(client, "writable", part="redis") == 1

    def test_is_not_taken_by_a_redis_that_is_full(self, client: Client, own_redis: str, settings: Settings) -> None:
        settings.REDIS_URL = own_redis
        with outages.redis_full(own_redis):
            found = scrape(client)

        assert found["runsheet_up", (("part", "redis"),)] == 1
        assert found["runsheet_writable", (("part", "redis"),)] == 0

    @pytest.mark.django_db(transaction=True)
    def test_is_not_taken_by_a_database_that_is_read_only(self, client: Client, database_url: str) -> None:
        connection.close()
        with outages.postgres_read_only(database_url):
            found = scrape(client)
            connection.close()

        assert found["runsheet_up", (("part", "database"),)] == 1
        assert found["runsheet_writable", (("part", "database"),)] == 0


class TestOutages:
    def test_without_redis_the_rest_is_told(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        kettle()

        assert value(client, "up", part="redis") == 0
        assert value(client, "up", part="database") == 1
        assert value(client, "records", machine="toy.kettle", state="heating") == 1

    def test_before_the_migration_the_rest_is_told(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE toy_kettle RENAME TO gone")

        tally.count("tries", machine="toy.kettle", state="heating")
        found = scrape(client)

        assert found["runsheet_up", (("part", "database"),)] == 0
        assert found["runsheet_tries_total", (("machine", "toy.kettle"), ("state", "heating"))] == 1

    @pytest.mark.django_db(transaction=True)
    def test_without_the_database_the_rest_is_told(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        tally.count("tries", machine="toy.kettle", state="heating")
        connection.close()
        monkeypatch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
        monkeypatch.setitem(connections.settings["default"], "PORT", "1")

        assert value(client, "up", part="database") == 0
        assert value(client, "tries_total", machine="toy.kettle", state="heating") == 1
