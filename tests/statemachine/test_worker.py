"""The worker as a process of its own; its work is a kettle's."""

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from unittest.mock import Mock

import pytest
from django.db import connections
from pytest_django.fixtures import Settings
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from rq import Queue, SimpleWorker
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from bench.outages import redis_full
from core.base.errors import SoftTimeLimit
from statemachine import worker as worker_module
from statemachine.reactions import Limits, Outcome, Run
from statemachine.worker import DeathPenalty, RunsheetWorker
from tests.statemachine.conftest import dispatch_all, history, owed
from tests.toy.models import Kettle
from tests.toy.reactions import Work
from tests.toy.reactions import work as works
from tests.workers import forget_measured

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]


@pytest.fixture
def work(redis: Redis) -> Iterator[Work]:
    works["heat"] = lambda _run: Outcome(transition="boiled")
    yield works
    works.clear()


def work_until_idle(redis: Redis) -> int | None:
    """Let a worker process do all that is queued; with which code it ended."""

    def process() -> None:
        forget_measured()
        connections["default"].settings_dict["CONN_MAX_AGE"] = 60  # as outside the tests
        worker = RunsheetWorker(
            [Queue("toy", connection=redis, serializer=JSONSerializer)], connection=redis, serializer=JSONSerializer
        )
        worker.unsubscribe = lambda: None  # type: ignore[method-assign]  # RQ takes a second over it
        worker.work(burst=True, logging_level="WARNING")
        os._exit(0)

    connections.close_all()
    child = multiprocessing.get_context("fork").Process(target=process)
    child.start()
    child.join(30)
    return child.exitcode


def endless(_run: Run[Kettle]) -> Outcome:
    """Hangs, and swallows every exception that it can."""
    while True:
        with contextlib.suppress(Exception):
            time.sleep(60)


def asleep_in_postgres(_run: Run[Kettle]) -> Outcome:
    """Waits for a statement that takes too long."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(30)")
    return Outcome(transition="boiled")


def told_to_stop(run: Run[Kettle]) -> Outcome:
    """Hangs, and its worker is told to stop."""
    os.kill(os.getpid(), signal.SIGTERM)
    return endless(run)


def deaf(run: Run[Kettle]) -> Outcome:
    """Hangs where no signal handler of Python's runs."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    return endless(run)


def backend_pid() -> int:
    """Which process of PostgreSQL serves this one."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def ending_its_connection(run: Run[Kettle]) -> Outcome:
    """The first time, PostgreSQL ends the connection while the work is done."""
    if run.record.pk == Kettle.objects.order_by("pk").values_list("pk", flat=True)[0]:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return Outcome(transition="boiled")


@pytest.mark.process
class TestWithoutRedis:
    def test_waits_for_it_and_can_be_ended(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One that ended would be started again at once by the pool, over and over."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        monkeypatch.setattr(worker_module, "REDIS_POLL_S", 0)
        monkeypatch.setattr(worker_module, "end_with_parent", lambda: None)
        away = RedisConnectionError("away")
        monkeypatch.setattr(worker_module, "exercise", Mock(side_effect=[away, away, 0.1]))

        try:
            RunsheetWorker([Queue("toy", connection=redis)], connection=redis, serializer=JSONSerializer)
            heard = [signal.getsignal(number) for number in before]
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

        assert heard == [signal.SIG_DFL, signal.SIG_DFL]
        assert caplog.text.count("Redis does not answer") == 1


class TestARedisThatTakesNothing:
    @pytest.fixture
    def worker(self, own_redis: str) -> Iterator[RunsheetWorker]:
        with Redis.from_url(own_redis) as redis:
            yield RunsheetWorker([Queue("toy", connection=redis)], connection=redis, serializer=JSONSerializer)

    def test_ends_the_worker_in_one_line(
        self, worker: RunsheetWorker, own_redis: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with redis_full(own_redis):
            assert worker.dequeue_job_and_maintain_ttl(1) is None

        assert "worker: it ends, and starts anew when Redis takes something. Redis is full" in caplog.text

    def test_is_told_from_a_bug(self, worker: RunsheetWorker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SimpleWorker, "dequeue_job_and_maintain_ttl", Mock(side_effect=ResponseError("WRONGTYPE")))

        with pytest.raises(ResponseError):
            worker.dequeue_job_and_maintain_ttl(1)

    def test_takes_no_leave_either(
        self, worker: RunsheetWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(worker_module, "end_with_parent", lambda: None)
        monkeypatch.setattr("statemachine.worker.connections.close_all", lambda: None)
        monkeypatch.setattr("os.register_at_fork", lambda **_: None)
        monkeypatch.setattr(SimpleWorker, "work", Mock(side_effect=RedisConnectionError("Connection refused")))

        assert worker.work() is False

        assert "worker: it ends without taking leave. Redis does not answer (Connection refused)" in caplog.text

    def test_is_waited_for_by_the_next_one(self, own_redis: str, caplog: pytest.LogCaptureFixture) -> None:
        """It answers a ping, and so it did not wait; nothing could be done then but to end, over and over."""
        with Redis.from_url(own_redis) as redis, redis_full(own_redis):
            found = worker_module._trouble(redis)

        assert found.startswith("Redis is full")


@pytest.mark.process
class TestAWorkerWithoutAJob:
    def test_waits_for_nothing_where_it_is_only_to_read_of_others(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker_module, "_await_redis", Mock(side_effect=AssertionError("waits")))
        queues = [Queue("toy", connection=redis)]

        RunsheetWorker(queues, connection=redis, serializer=JSONSerializer, prepare_for_work=False)

    def test_sets_no_alarm_when_it_is_told_to_stop(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = RunsheetWorker([Queue("toy", connection=redis)], connection=redis, serializer=JSONSerializer)
        monkeypatch.setattr(RunsheetWorker, "told_to_stop", False)
        ends_after = Mock()
        monkeypatch.setattr(faulthandler, "dump_traceback_later", ends_after)

        worker.handle_warm_shutdown_request()

        assert signal.alarm(0) == 0
        assert RunsheetWorker.told_to_stop
        ends_after.assert_called_once()


class TestRunsheetWorker:
    def test_does_the_work_and_leaves_nothing_in_redis(self, work: Work, redis: Redis) -> None:
        kettle = owed()
        dispatch_all()

        assert work_until_idle(redis) == 0

        assert Kettle.objects.get().state == "ready"
        assert history(kettle) == ["boiled"]
        assert redis.keys("rq:job:*") == []

    @pytest.mark.parametrize("react", [endless, asleep_in_postgres])
    def test_soft_limit_ends_work_that_swallows_exceptions_or_waits_for_a_statement(
        self, work: Work, redis: Redis, declared: Callable[..., None], react: Callable[[Run[Kettle]], Outcome]
    ) -> None:
        declared("heating", limits=Limits(soft_s=1, hard_s=60))
        work["heat"] = react
        owed()
        dispatch_all()

        assert work_until_idle(redis) == 0

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.failure_code) == ("heating", 1, "took_too_long")
        assert kettle.due_at is not None

    def test_hard_limit_kills_work_that_hears_nothing(
        self, work: Work, redis: Redis, declared: Callable[..., None]
    ) -> None:
        declared("heating", limits=Limits(soft_s=1, hard_s=2))
        work["heat"] = deaf
        owed()
        dispatch_all()

        assert work_until_idle(redis) == 1

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries) == ("heating", 1)
        assert kettle.due_at == kettle.claimed_until, "its claim runs out by itself, and it is due then"

    def test_told_to_stop_it_puts_back_what_takes_too_long(self, work: Work, redis: Redis, settings: Settings) -> None:
        settings.WORKER_STOP_S = 1
        work["heat"] = told_to_stop
        owed()
        dispatch_all()

        assert work_until_idle(redis) == 0

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.claimed_until) == ("heating", 0, None)
        assert kettle.failure_code == "worker_stopped"

    def test_told_to_stop_it_ends_even_if_its_work_hears_nothing(
        self, work: Work, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.WORKER_STOP_S = 1
        monkeypatch.setattr(worker_module, "DEAF_S", 1)

        def deaf_and_told(run: Run[Kettle]) -> Outcome:
            os.kill(os.getpid(), signal.SIGTERM)
            return deaf(run)

        work["heat"] = deaf_and_told
        owed()
        dispatch_all()

        assert work_until_idle(redis) == 1

        assert Kettle.objects.get().state == "heating"
        assert Kettle.objects.get().is_owed

    def test_told_to_stop_it_finishes_what_is_quick(self, work: Work, redis: Redis) -> None:
        def quick(_run: Run[Kettle]) -> Outcome:
            os.kill(os.getpid(), signal.SIGTERM)
            return Outcome(transition="boiled")

        work["heat"] = quick
        first, second = owed(), owed()
        dispatch_all()

        assert work_until_idle(redis) == 0

        assert Kettle.objects.get(pk=first.pk).state == "ready"
        assert Kettle.objects.get(pk=second.pk).state == "heating", "another worker's"

    def test_shows_a_bug_in_the_failed_registry(self, work: Work, redis: Redis) -> None:
        work["heat"] = lambda _run: Outcome(transition=str(1 / 0))
        kettle = owed()
        dispatch_all()

        assert work_until_idle(redis) == 0

        registry = FailedJobRegistry("toy", connection=redis, serializer=JSONSerializer)
        assert registry.get_job_ids() == [f"toy_kettle-{kettle.pk}-heating-2"]
        assert Kettle.objects.get().failure_code == "bug"

    def test_keeps_its_connection_from_job_to_job(self, work: Work, redis: Redis) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", record=lambda _: {"litres": backend_pid()})
        for _ in range(3):
            owed()
        dispatch_all()

        work_until_idle(redis)

        assert Kettle.objects.values("litres").distinct().count() == 1

    def test_goes_on_when_postgresql_has_ended_its_connection(self, work: Work, redis: Redis) -> None:
        work["heat"] = ending_its_connection
        first, second = owed(), owed()
        dispatch_all()

        work_until_idle(redis)

        assert Kettle.objects.get(pk=first.pk).state == "heating", "nothing could be recorded"
        assert Kettle.objects.get(pk=first.pk).is_owed
        assert Kettle.objects.get(pk=second.pk).state == "ready"

    def test_makes_way_for_a_fresh_process_after_many_jobs(
        self, work: Work, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RunsheetWorker, "jobs_per_process", 2)
        for _ in range(3):
            owed()
        dispatch_all()

        work_until_idle(redis)

        assert Kettle.objects.filter(state="ready").count() == 2


class TestDeathPenalty:
    def test_raises_what_no_except_exception_swallows(self) -> None:
        with pytest.raises(SoftTimeLimit), DeathPenalty(1):
            endless(Run(record=Kettle(), job_id=""))
