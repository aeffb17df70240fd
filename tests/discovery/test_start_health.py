"""What the start page says when a server, the reconciler, the workers or Dropbox do not answer."""

import re
import time
from datetime import timedelta
from html import unescape
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from bench.outages import postgres_read_only, redis_full, redis_read_only
from core.base import redis_client
from core.base.clock import now
from core.ops import probes
from core.ops.probes import Probe
from discovery import start
from leases.models import Lease
from statemachine import heartbeat, obstacles
from statemachine.listeners import Listener
from tests.discovery import test_start
from tests.discovery.test_start import failed
from tests.factories import settled
from tests.pooler import broken_itself
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

# The fixtures of the rest of that page.
console, not_asked_yet, operator = test_start.console, test_start.not_asked_yet, test_start.operator


def seen(monkeypatch: pytest.MonkeyPatch, *, reconciler_age_s: float | None) -> None:
    """What a thread of its own would see of the database, were this test's transaction committed."""
    found = heartbeat.Seen(reconciler_age_s=reconciler_age_s)
    monkeypatch.setattr(heartbeat, "database_works", Probe(lambda: found))


class TestHealth:
    @pytest.fixture
    def at_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen(monkeypatch, reconciler_age_s=1.0)
        heartbeat.beat(heartbeat.RECONCILER)
        worker = Listener(name="w", queues=("discovery",), state="idle", host="h")
        monkeypatch.setattr(start, "listening", lambda: [worker])
        monkeypatch.setattr(obstacles, "listening", lambda: [worker])

    def test_is_well(self, operator: User, at_work: None) -> None:
        found = start.health(operator)

        assert (found.is_well, found.sentence.partition(",")[0]) == (True, "Work gets done: 1 worker at hand")
        assert found.url == ""

    def test_leads_who_may_to_the_system(self, at_work: None) -> None:
        assert start.health(in_role("Administrator")).url == "/admin/system/"

    def test_tells_of_missing_workers(self, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        seen(monkeypatch, reconciler_age_s=1.0)

        assert start.health(operator).sentence.startswith("No worker runs")

    @pytest.mark.parametrize("age_s", [None, 95.0])
    def test_tells_of_a_missing_reconciler(
        self, operator: User, at_work: None, monkeypatch: pytest.MonkeyPatch, age_s: float | None
    ) -> None:
        seen(monkeypatch, reconciler_age_s=age_s)

        assert start.health(operator).sentence.startswith("No reconciler runs")

    def test_tells_of_a_silent_redis(self, console: Client, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert "Redis does not answer" in console.get("/admin/").text

    def test_tells_of_one_that_ends_meanwhile(self, operator: User, settings: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(probes, "redis_works", Probe(lambda: 0.0))
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert start.health(operator).sentence.startswith("Redis does not answer. See that it runs")

    @pytest.mark.parametrize(
        ("broken", "words"), [(redis_full, redis_client.FULL), (redis_read_only, redis_client.READ_ONLY)]
    )
    def test_tells_why_redis_takes_nothing(
        self, console: Client, settings: Any, own_redis: str, broken: Any, words: str
    ) -> None:
        settings.REDIS_URL = own_redis
        with broken(own_redis):
            text = unescape(console.get("/admin/").text)

        assert f"{words} What you save is kept, and is worked on as Redis takes it." in text

    @broken_itself
    @pytest.mark.django_db(transaction=True)
    def test_tells_why_the_database_takes_nothing(self, operator: User, database_url: str) -> None:
        with postgres_read_only(database_url):
            connection.close()
            found = start.health(operator)
        connection.close()

        assert found.sentence.startswith("PostgreSQL is read-only, so nothing can be saved. DATABASE_URL must name")
        assert found.sentence.endswith("What is shown is true, but nothing is saved, and no work is done.")

    def test_promises_nothing_that_the_database_has_not_shown(
        self, operator: User, at_work: None, settings: Any, monkeypatch: Any
    ) -> None:
        go_on = Event()
        monkeypatch.setattr(heartbeat, "database_works", Probe(lambda: go_on.wait(10)))
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        found = start.health(operator)
        go_on.set()

        assert found.sentence == "Redis does not answer. See that it runs and that REDIS_URL is right."

    def test_waits_for_nobody_who_hangs(self, operator: User, at_work: None, monkeypatch: Any) -> None:
        go_on = Event()
        monkeypatch.setattr(probes, "redis_works", Probe(lambda: go_on.wait(10)))
        monkeypatch.setattr(heartbeat, "database_works", Probe(lambda: go_on.wait(10)))
        began = time.monotonic()

        found = start.health(operator)
        go_on.set()

        assert found.is_well
        assert time.monotonic() - began < 2


class TestOutagesOfDropbox:
    @staticmethod
    def waiting(user: User, number: str, **values: Any) -> Lease:
        given = {"state": "searching", "due_at": now() + timedelta(minutes=1), "failure_code": "dropbox_unavailable"}
        return settled(user, lease_number=number, **given | values)

    def test_are_told_with_how_many_wait_and_since_when(self, console: Client, operator: User) -> None:
        self.waiting(operator, "1", entered_at=now() - timedelta(minutes=7))
        self.waiting(operator, "2")
        self.waiting(operator, "3", failure_code="dropbox_paused", state="detecting")

        text = re.sub(r"<[^>]+>", "", console.get("/admin/").text)

        assert (
            "Dropbox cannot be reached, or gives no proper answer. 2 leases have waited for that, the first since "
            "7 min ago. They go on by themselves when Dropbox answers again; nothing is to be done." in text
        )
        assert "Dropbox has asked for a pause. 1 lease has waited for that" in text

    def test_lead_to_the_leases(self, console: Client, operator: User) -> None:
        self.waiting(operator, "1")
        failed(operator, "2", failure_code="dropbox_unavailable")

        (found,) = start.outages()

        assert console.get(found.url).context["cl"].result_count == found.count == 1

    def test_are_over_when_nothing_waits(self, operator: User) -> None:
        self.waiting(operator, "1", failure_code="")
        self.waiting(operator, "2", failure_code="row_locked")
        failed(operator, "3", failure_code="dropbox_unavailable")

        assert start.outages() == []
