"""What is our own trouble is nobody's failure and costs no try: real outages before, in and after the work."""

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connection
from django.db.models.functions import Now
from pytest_django.fixtures import Settings
from redis.exceptions import DataError as RedisDataError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bench.outages import SmallDisk, postgres_closed, postgres_on, postgres_read_only
from core.base.errors import SoftTimeLimit, WorkerStopping
from statemachine import claims, outages
from statemachine.management.commands.reconcile import run_until
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome, Run
from statemachine.reconcile import forgive, reconcile
from tests.pooler import broken_itself
from tests.statemachine.conftest import due_at, in_s, message, owed
from tests.statemachine.test_jobs import raising, run
from tests.toy.models import Kettle
from tests.toy.reactions import TRIES, Work

pytestmark = [pytest.mark.django_db(transaction=True), broken_itself]

BOILED = Outcome(transition="boiled")


@pytest.fixture(autouse=True)
def first_in_a_row() -> None:
    outages.over()


@pytest.fixture
def outage() -> Iterator[ExitStack]:
    """What is entered here lasts until it is mended."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def mended_while_waiting(outage: ExitStack, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The outage ends as soon as the worker waits for that; how long it meant to wait each time."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        outage.close()

    monkeypatch.setattr("statemachine.outages.time.sleep", wait)
    return waits


@pytest.fixture
def disk(small_disk: SmallDisk, database_url: str) -> Iterator[SmallDisk]:
    """On which the kettles and the log are."""
    with postgres_on(database_url, small_disk, tables=("toy_kettle", "statemachine_transitionlog")):
        yield small_disk


def breaking(outage: ExitStack, enter: Callable[[], Any]) -> Callable[[Run[Kettle]], Outcome]:
    """Work that succeeds, and whose outcome cannot be recorded."""

    def react(_run: Run[Kettle]) -> Outcome:
        outage.enter_context(enter())
        return BOILED

    return react


class TestBeforeTheClaim:
    @pytest.mark.parametrize("broken", [postgres_closed, postgres_read_only])
    def test_an_outage_leaves_the_row_as_it_is(self, work: Work, database_url: str, broken: Any) -> None:
        work["heat"] = raising(AssertionError("there was no claim"))
        ringing = message(owed())

        with broken(database_url):
            ended = run(ringing)

        connection.close()
        assert ended == "waiting"
        assert (Kettle.objects.get().tries, Kettle.objects.get().failure_code) == (0, "")

    def test_a_bug_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claims, "claim", Mock(side_effect=ProgrammingError("column is missing")))

        with pytest.raises(ProgrammingError):
            run(message(owed()))


class TestInTheWork:
    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (OperationalError("the server went away"), "database_outage", "The database does not answer"),
            (OutOfMemoryError("command not allowed"), "redis_outage", "Redis is full"),
            (ReadOnlyError("You can't write"), "redis_outage", "Redis is a read-only replica"),
            (ResponseError("MISCONF Valkey cannot persist"), "redis_outage", "Redis cannot save to its disk"),
            (RedisTimeoutError("Timeout reading from socket"), "redis_outage", "Redis does not answer in time"),
            (OSError(errno.ENOSPC, "No space left on device"), "host_outage", "The disk of this host is full"),
            (OSError(errno.EMFILE, "Too many open files"), "host_outage", "This process may open no more files"),
        ],
    )
    @pytest.mark.parametrize("tries", [0, TRIES - 1])
    def test_an_outage_puts_it_back_at_no_cost(
        self, work: Work, error: Exception, code: str, words: str, tries: int
    ) -> None:
        work["heat"] = raising(error)

        ended = run(message(owed(tries=tries)))

        kettle = Kettle.objects.get()
        assert ended == "waiting"
        assert (kettle.state, kettle.tries, kettle.claimed_until, kettle.failure_code) == ("heating", tries, None, code)
        assert kettle.failure_message.startswith(words)
        assert kettle.failure_message.endswith("It goes on by itself when that is mended, and this counts as no try.")

    @pytest.mark.parametrize(
        "error",
        [
            IntegrityError("twice"),
            DataError("too long"),
            ProgrammingError("syntax"),
            RedisDataError("Invalid input"),
            ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
            OSError(errno.ENOENT, "No such file"),
        ],
    )
    def test_a_bug_stays_one(self, work: Work, error: Exception) -> None:
        work["heat"] = raising(error)

        with pytest.raises(type(error)):
            run(message(owed()))

        assert (Kettle.objects.get().state, Kettle.objects.get().failure_code) == ("broken", "bug")

    def test_a_statement_that_is_cut_off_is_an_outage(self, work: Work) -> None:
        def take_too_long(_run: Run[Kettle]) -> Outcome:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 20")
                cursor.execute("SELECT pg_sleep(5)")
            return BOILED

        work["heat"] = take_too_long

        run(message(owed()))

        connection.close()
        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.failure_code) == ("heating", 0, "database_outage")
        assert kettle.failure_message.startswith("PostgreSQL took too long and was cut off")

    def test_waits_longer_each_time_until_something_is_recorded(self, work: Work) -> None:
        waits = []
        for _ in range(6):
            work["heat"] = raising(OperationalError("gone"))
            kettle = owed()
            run(message(kettle))
            waits.append((due_at(Kettle.objects.get(pk=kettle.pk)) - in_s(0)).total_seconds())

        work["heat"] = lambda _run: BOILED
        run(message(owed()))

        assert 4 < waits[0] < 16
        assert 58 < waits[5] < 181
        assert outages.pause_s() < 16


class TestAfterTheWork:
    @pytest.mark.parametrize("broken", [postgres_closed, postgres_read_only])
    def test_an_outcome_that_cannot_be_recorded_costs_no_try(
        self, work: Work, outage: ExitStack, database_url: str, mended_while_waiting: list[float], broken: Any
    ) -> None:
        work["heat"] = breaking(outage, lambda: broken(database_url))

        ended = run(message(owed(tries=TRIES - 1)))

        kettle = Kettle.objects.get()
        assert (ended, kettle.state, kettle.tries) == ("waiting", "heating", TRIES - 1)
        assert (kettle.failure_code, kettle.claimed_until) == ("database_outage", None)
        assert kettle.failure_message.startswith("PostgreSQL stops, starts or recovers")
        assert mended_while_waiting

    def test_a_full_disk_costs_none(self, work: Work, outage: ExitStack, disk: SmallDisk) -> None:
        work["heat"] = breaking(outage, disk.full)

        run(message(owed()))
        outage.close()

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries, kettle.failure_code) == ("heating", 0, "database_outage")
        assert kettle.failure_message.startswith("PostgreSQL's disk is full, so nothing can be saved")
        assert TransitionLog.objects.count() == 0

    def test_a_failure_that_cannot_be_recorded_costs_none_either(
        self, work: Work, outage: ExitStack, database_url: str, mended_while_waiting: list[float]
    ) -> None:
        def fail(_run: Run[Kettle]) -> Outcome:
            outage.enter_context(postgres_closed(database_url))
            raise ZeroDivisionError

        work["heat"] = fail

        run(message(owed()))

        assert (Kettle.objects.get().state, Kettle.objects.get().tries) == ("heating", 0)

    def test_the_try_is_given_back_also_when_the_row_was_dispatched_meanwhile(
        self, work: Work, outage: ExitStack, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def mend_and_dispatch(_seconds: float) -> None:
            outage.close()
            Kettle.objects.update(generation=2, claimed_until=None)

        monkeypatch.setattr("statemachine.outages.time.sleep", mend_and_dispatch)
        work["heat"] = breaking(outage, lambda: postgres_closed(database_url))

        ended = run(message(owed()))

        assert (ended, Kettle.objects.get().tries) == ("stale", 0)

    def test_a_row_that_was_started_anew_keeps_its_tries(
        self, work: Work, outage: ExitStack, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def mend_and_start_anew(_seconds: float) -> None:
            outage.close()
            Kettle.objects.update(generation=3, claimed_until=None, entered_at=Now(), tries=2)

        monkeypatch.setattr("statemachine.outages.time.sleep", mend_and_start_anew)
        work["heat"] = breaking(outage, lambda: postgres_closed(database_url))

        run(message(owed()))

        assert Kettle.objects.get().tries == 2

    @pytest.mark.parametrize("told", [SoftTimeLimit(), WorkerStopping()])
    def test_who_is_told_to_stop_waits_no_longer(
        self, work: Work, outage: ExitStack, database_url: str, monkeypatch: pytest.MonkeyPatch, told: BaseException
    ) -> None:
        monkeypatch.setattr("statemachine.outages.time.sleep", raising(told))
        work["heat"] = breaking(outage, lambda: postgres_closed(database_url))

        ended = run(message(owed()))
        outage.close()

        assert (ended, Kettle.objects.get().tries) == ("waiting", 1)

    def test_gives_up_after_a_while(
        self, work: Work, outage: ExitStack, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outages, "PATIENCE_S", 0.05)
        monkeypatch.setattr(outages, "POLL_S", 0.01)
        work["heat"] = breaking(outage, lambda: postgres_closed(database_url))

        assert run(message(owed())) == "waiting"

    def test_a_bug_while_putting_back_is_one(self, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claims, "put_back", raising_always(ProgrammingError("syntax")))
        work["heat"] = raising(OperationalError("gone"))

        with pytest.raises(ProgrammingError):
            run(message(owed()))


def raising_always(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


class TestForgive:
    def test_counts_no_try_whose_claim_ran_out_in_the_outage(self) -> None:
        kettle = owed(tries=TRIES, claimed_until=in_s(-5), due_at=in_s(-5))

        forgive(ago_s=60)
        done = reconcile()

        kettle = Kettle.objects.get()
        assert done.crashed == 0
        assert (kettle.state, kettle.tries, kettle.claimed_until) == ("heating", TRIES - 1, None)

    def test_leaves_alone_what_ran_out_before_and_what_is_held(self) -> None:
        before = owed(tries=2, claimed_until=in_s(-90))
        held = owed(tries=2, claimed_until=in_s(10))

        forgive(ago_s=60)

        assert [Kettle.objects.get(pk=each.pk).tries for each in (before, held)] == [2, 2]


class TestReconciling:
    def test_forgives_after_an_outage_before_it_gives_anything_up(
        self, outage: ExitStack, database_url: str, settings: Settings
    ) -> None:
        def mend() -> None:
            outage.close()
            Kettle.objects.update(claimed_until=Now(), due_at=Now())

        settings.RECONCILE_INTERVAL_S = 0
        kettle = owed(tries=TRIES, claimed_until=in_s(600), due_at=in_s(600))
        passes = Passes(
            lambda: outage.enter_context(postgres_closed(database_url)),
            lambda: None,
            mend,
            lambda: None,
        )

        run_until(passes)  # type: ignore[arg-type]  # as much of an event as it needs

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.tries) == ("heating", TRIES - 1)


class Passes:
    """Stands for the event that stops the reconciler: something happens before each pass, then it is set."""

    def __init__(self, *before: Callable[[], object]) -> None:
        self._before = list(before)

    def is_set(self) -> bool:
        """Whether all has happened."""
        if not self._before:
            return True
        self._before.pop(0)()
        return False

    def wait(self, _seconds: float) -> None:
        """Not at all."""
