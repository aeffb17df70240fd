"""A Redis that is slower than a request may wait slows the reconciler and the workers, and does not stop them."""

import time

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis
from redis.exceptions import RedisError

from bench.outages import redis_full, slow
from core.base import redis_client
from core.base.redis_client import patient
from statemachine import pump
from statemachine.dispatch import kick
from statemachine.management.commands import reconcile as command
from statemachine.reconcile import reconcile
from tests.statemachine.conftest import owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db(transaction=True)

DELAY_S = 0.35  # more than DOORBELL_TIMEOUT_S
SHORT_S, LONGER_S = 0.05, 0.07  # the same, for who is asked many times


@pytest.fixture(autouse=True)
def heard(own_redis: str, settings: Settings) -> None:
    """Nobody has failed to answer a moment ago, and nothing is queued."""
    redis_client._silent_until.clear()
    with Redis.from_url(own_redis) as redis:
        redis.flushall()
    settings.REDIS_URL = own_redis


def queued(url: str) -> int:
    with Redis.from_url(url) as redis:
        return int(redis.llen("rq:queue:toy"))


@pytest.mark.long
class TestReconciling:
    def test_rings_though_a_request_would_not(self, own_redis: str, settings: Settings) -> None:
        kettle = owed()
        settings.DOORBELL_TIMEOUT_S = SHORT_S
        with slow(own_redis, delay_s=LONGER_S) as settings.REDIS_URL:
            kick("toy.kettle", kettle.pk, queue="toy")
            before = queued(own_redis)

            command._pass()

        assert (before, queued(own_redis)) == (0, 1)

    def test_rings_for_a_few_and_leaves_the_rest_owed(
        self, own_redis: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pump, "STARTING_S", 0)
        monkeypatch.setattr(pump, "RINGING_S", 0.1)
        for _ in range(5):
            owed()
        with slow(own_redis, delay_s=0.05) as settings.REDIS_URL, patient():
            done = reconcile()

        assert done.dispatched == queued(own_redis) < 5
        assert Kettle.objects.filter(due_at__lte=timezone.now(), rung_at=None).count() == 5 - done.dispatched

    def test_starts_a_few_and_leaves_the_rest_owed(
        self, own_redis: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pump, "STARTING_S", 0.1)
        for _ in range(5):
            Kettle.objects.create()
        with slow(own_redis, delay_s=0.05) as settings.REDIS_URL, patient():
            done = reconcile()

        assert 0 < done.started < 5
        assert Kettle.objects.filter(state="cold", due_at__lte=timezone.now()).count() == 5 - done.started

    def test_leaves_everything_owed_while_redis_is_full(self, own_redis: str, caplog: pytest.LogCaptureFixture) -> None:
        owed()
        with redis_full(own_redis):
            command._pass()
            full = queued(own_redis)
        redis_client._silent_until.clear()

        command._pass()

        assert (full, queued(own_redis)) == (0, 1)
        assert "Redis is full and takes nothing new." in caplog.text


class TestARequest:
    def test_saves_many_and_waits_once(self, own_redis: str, settings: Settings) -> None:
        kettles = [owed() for _ in range(30)]

        def save(_request: object) -> None:
            for kettle in kettles:
                kick("toy.kettle", kettle.pk, queue="toy")
                redis_client._silent_until.clear()  # as if each took a second

        with slow(own_redis, delay_s=DELAY_S) as settings.REDIS_URL:
            began = time.monotonic()
            redis_client.share_patience(save)(None)  # type: ignore[arg-type]  # nobody looks at the request
            took_s = time.monotonic() - began

        assert took_s < 2
        # Redis may have taken the first message just in time; all are owed still.
        assert Kettle.objects.filter(due_at__isnull=False).count() == 30


class TestAnsweringAtAll:
    def test_is_too_slow_for_a_request_only(self, own_redis: str, settings: Settings) -> None:
        settings.DOORBELL_TIMEOUT_S = SHORT_S
        with slow(own_redis, delay_s=LONGER_S) as settings.REDIS_URL:
            with pytest.raises(RedisError):
                redis_client.ask(Redis.ping)
            with patient():
                assert redis_client.ask(Redis.ping)
