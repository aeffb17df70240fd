"""What is to be done every so often, or when the system starts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from pytest_django.fixtures import Settings
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from core.base.errors import SoftTimeLimit, Temporary
from statemachine import doorbell, duties, jobs
from statemachine.management.commands import reconcile as command
from statemachine.models import Heartbeat
from statemachine.reactions import queues

pytestmark = pytest.mark.django_db

EVERY_S = 60


@pytest.fixture
def done() -> list[str]:
    """What was attended to."""
    return []


@pytest.fixture
def dishes(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The kitchen's duties: the dishes every minute, the stove at the start."""
    monkeypatch.setattr(duties, "_registry", {})
    duties.duty(name="dishes", queue="toy", every_s=lambda: EVERY_S)(lambda: done.append("dishes"))
    duties.duty(name="stove", queue="toy", every_s=lambda: 300, at_start=True)(lambda: done.append("stove"))


def rung(redis: Redis) -> list[str]:
    """The messages that wait, which are taken."""
    queue = Queue("toy", connection=redis, serializer=JSONSerializer)
    found = [str(job.args[0]) for job in queue.jobs]
    queue.empty()  # type: ignore[no-untyped-call]  # rq types this class in part
    return found


def later(seconds: float) -> None:
    """So much time passes; the database's clock is the only one that counts."""
    Heartbeat.objects.update(at=F("at") - timedelta(seconds=seconds))


@pytest.mark.usefixtures("dishes")
class TestRingingNow:
    def test_is_before_its_time(self, redis: Redis) -> None:
        duties.ring()
        rung(redis)

        assert duties.ring_now("dishes")

        assert rung(redis) == ["dishes"]

    def test_is_not_for_what_is_never_done(self, redis: Redis) -> None:
        duties.duty(name="silver", queue="toy", every_s=lambda: 0)(lambda: None)

        assert not duties.ring_now("silver")

        assert rung(redis) == []


@pytest.mark.usefixtures("dishes")
class TestRinging:
    def test_is_for_what_was_never_done(self, redis: Redis) -> None:
        assert duties.ring()

        assert rung(redis) == ["dishes"]

    def test_is_for_what_is_due_again_and_not_before(self, redis: Redis) -> None:
        duties.ring()
        rung(redis)
        later(EVERY_S - 5)
        duties.ring()
        early = rung(redis)
        later(6)
        duties.ring()

        assert (early, rung(redis)) == ([], ["dishes"])

    def test_makes_good_nothing_that_was_left_out_for_years(self, redis: Redis) -> None:
        duties.ring()
        rung(redis)
        later(10 * 365 * 86_400)

        duties.ring()
        duties.ring()

        assert rung(redis) == ["dishes"]

    def test_goes_on_when_the_clock_was_set_back(self, redis: Redis) -> None:
        duties.ring()
        rung(redis)
        later(-365 * 86_400)

        duties.ring()
        duties.ring()

        assert rung(redis) == ["dishes"]

    def test_is_never_for_what_the_settings_switch_off(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duties, "_registry", {})
        duties.duty(name="dishes", queue="toy", every_s=lambda: 0)(lambda: None)

        assert duties.ring(is_start=True)
        assert rung(redis) == []

    def test_does_not_fill_a_queue_that_nobody_attends_to(self, redis: Redis) -> None:
        for _ in range(3):
            duties.ring()
            later(EVERY_S + 1)

        assert rung(redis) == ["dishes"]

    def test_comes_again_after_a_message_whose_worker_died(self, redis: Redis) -> None:
        duties.ring()
        job = Job.fetch("duty-dishes", connection=redis, serializer=JSONSerializer)
        job.set_status(JobStatus.FAILED)
        rung_once = Queue("toy", connection=redis, serializer=JSONSerializer)
        rung_once.remove("duty-dishes")
        later(EVERY_S + 1)

        duties.ring()

        assert rung(redis) == ["dishes"]

    def test_that_redis_does_not_take_is_tried_again(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as away:
            away.setattr(doorbell, "ask", Mock(side_effect=RedisError("Redis is away.")))
            assert not duties.ring()

        assert duties.ring()
        assert rung(redis) == ["dishes"]


@pytest.mark.usefixtures("dishes")
class TestStart:
    def test_is_told_once_whoever_starts(self, redis: Redis) -> None:
        for _ in range(10):
            duties.ring(is_start=True)

        assert rung(redis) == ["dishes", "stove"]

    def test_is_told_again_when_the_system_starts_later(self, redis: Redis) -> None:
        duties.ring(is_start=True)
        rung(redis)
        later(301)

        duties.ring()
        by_itself = rung(redis)
        duties.ring(is_start=True)

        assert (by_itself, rung(redis)) == (["dishes"], ["stove"])

    def test_is_told_when_what_it_needs_is_there(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        """The database is away, then Redis; the third pass is the first that works."""
        settings.RECONCILE_INTERVAL_S = 0
        stopped, starts = threading.Event(), list[bool]()
        answers: list[Any] = [Mock(side_effect=OperationalError("gone")), lambda: False, lambda: True]

        def ring(*, is_start: bool = False) -> bool:
            starts.append(is_start)
            if not answers:
                stopped.set()
                return True
            return bool(answers.pop(0)())

        monkeypatch.setattr(duties, "ring", ring)
        monkeypatch.setattr(command, "connection", Mock())

        command.run_until(stopped)

        assert starts == [True, True, True, False]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dishes")
def test_many_reconcilers_at_once_ring_once(redis: Redis) -> None:
    begin = threading.Barrier(4)

    def ring(_: int) -> None:
        begin.wait(timeout=20)
        try:
            duties.ring(is_start=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as reconcilers:
        list(reconcilers.map(ring, range(4)))

    assert sorted(rung(redis)) == ["dishes", "stove"]


class TestAttending:
    @pytest.mark.usefixtures("dishes")
    def test_does_what_was_registered(self, done: list[str]) -> None:
        assert jobs.attend("dishes") == "attended"
        assert done == ["dishes"]

    @pytest.mark.usefixtures("dishes")
    def test_passes_over_what_the_code_does_not_know_any_more(self) -> None:
        assert jobs.attend("laundry") == "stale"

    @pytest.mark.parametrize(
        "hindrance", [Temporary("The tap is dry."), SoftTimeLimit(), OperationalError("the server went away")], ids=str
    )
    def test_leaves_what_hinders_it_to_the_next_time(
        self, monkeypatch: pytest.MonkeyPatch, hindrance: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(duties, "_registry", {})
        duties.duty(name="dishes", queue="toy", every_s=lambda: 1)(Mock(side_effect=hindrance))

        assert jobs.attend("dishes") == "waiting"
        assert "the duty “dishes” waits for its next time" in caplog.text

    @pytest.mark.parametrize("bug", [ZeroDivisionError(), OperationalError("a statement that makes no sense")], ids=str)
    def test_tells_a_bug(self, monkeypatch: pytest.MonkeyPatch, bug: Exception) -> None:
        monkeypatch.setattr(duties, "_registry", {})
        monkeypatch.setattr(jobs, "is_outage", lambda _: False)
        duties.duty(name="dishes", queue="toy", every_s=lambda: 1)(Mock(side_effect=bug))

        with pytest.raises(type(bug)):
            jobs.attend("dishes")


class TestRegistering:
    @pytest.fixture(autouse=True)
    def empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duties, "_registry", {})

    def test_takes_a_name_once(self) -> None:
        duties.duty(name="dishes", queue="toy", every_s=lambda: 1)(lambda: None)

        with pytest.raises(AssertionError, match="“dishes”"):
            duties.duty(name="dishes", queue="toy", every_s=lambda: 1)(lambda: None)

    def test_takes_a_queue_that_there_is(self) -> None:
        with pytest.raises(AssertionError, match="RQ_QUEUES lacks its queue “sink”"):
            duties.duty(name="dishes", queue="sink", every_s=lambda: 1)(lambda: None)


def test_every_queue_of_a_duty_has_workers() -> None:
    assert {each.queue for each in duties._registry.values()} <= set(queues())
