"""A queue whose pool was forgotten: told, with what waits there."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis

from core.ops.doctor import servers
from core.ops.doctor.finding import Mark
from statemachine import heartbeat
from statemachine.listeners import Listener
from statemachine.metrics import EngineCollector
from statemachine.obstacles import obstacle
from statemachine.unserved import owed_now, unserved
from tests.statemachine.conftest import dispatch_all, in_s, owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db(transaction=True)


def listener(*queues: str) -> Listener:
    return Listener(name="w", queues=queues, state="idle", host="h")


@pytest.fixture(autouse=True)
def _apart(declared: Callable[..., None], redis: Redis) -> None:
    declared("steeping", queue="other")


class TestUnserved:
    def test_counts_what_is_owed_now_in_each_queue_without_workers(self) -> None:
        owed()
        owed(due_at=in_s(60))
        Kettle.objects.create()
        owed(state="steeping")

        assert unserved([]) == {"other": 1, "toy": 2}
        assert unserved([listener("toy")]) == {"other": 1}
        assert unserved([listener("toy", "other")]) == {}

    def test_counts_what_was_rung_for_and_nobody_answered(self) -> None:
        owed()
        dispatch_all()

        assert owed_now("toy") == 1


class TestIsTold:
    @pytest.fixture(autouse=True)
    def _waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        owed(state="steeping")
        heartbeat.beat(heartbeat.RECONCILER)
        for module in ("core.ops.doctor.servers", "statemachine.obstacles"):
            monkeypatch.setattr(f"{module}.listening", lambda: [listener("toy", "discovery")])

    def test_by_the_doctor_and_so_on_the_system_page(self) -> None:
        found = {finding.seen: finding for finding in servers.workers()}

        wrong = found["none on “other”, 1 on discovery, toy"]
        assert wrong.mark == Mark.WRONG
        assert "1 record waits for it." in wrong.advice
        assert "rqworker-pool other" in wrong.advice

    def test_where_work_is_promised(self) -> None:
        assert obstacle() == "No worker listens to “other” (1). What is owed there waits until one does."

    def test_by_the_metrics(self) -> None:
        registry = CollectorRegistry()
        registry.register(EngineCollector())

        assert registry.get_sample_value("runsheet_queue_owed_records", {"queue": "other"}) == 1
        assert registry.get_sample_value("runsheet_workers", {"queue": "other", "state": "idle"}) == 0
