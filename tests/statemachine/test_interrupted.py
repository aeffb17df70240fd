"""The time is over, or the worker has to stop, in the middle of a statement: what was under way is put back all the same."""

import signal
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from core.base.errors import SoftTimeLimit, WorkerStopping
from statemachine.interruptions import drop_if_torn, told_as_such
from statemachine.reactions import Ending, Endings, Run
from tests.statemachine.conftest import message, owed
from tests.statemachine.sets import BOILED, Sets, run
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = [(SoftTimeLimit, (1, "took_too_long")), (WorkerStopping, (0, "worker_stopped"))]
# It fails once, after half a second, while a transaction is being committed.
SLOW_TO_COMMIT = """
CREATE SEQUENCE slow_commits;
CREATE FUNCTION slow_to_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'ready' AND nextval('slow_commits') = 1 THEN
        PERFORM pg_sleep(0.5);
        RAISE 'it is not to be';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow_to_commit AFTER UPDATE ON toy_kettle DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow_to_commit();
"""


@pytest.fixture
def soon(told: type[BaseException]) -> Iterator[Callable[[], None]]:
    """Interrupts in a moment, as the worker's alarm does."""

    def interrupt(*_: object) -> None:
        raise told

    def soon() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    before = signal.signal(signal.SIGALRM, interrupt)
    yield soon
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    connection.close()


@pytest.fixture
def slow_commit() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(SLOW_TO_COMMIT)
    yield
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION slow_to_commit CASCADE; DROP SEQUENCE slow_commits")


def sleep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1)")


def sleep_in_a_transaction() -> None:
    with transaction.atomic():
        sleep()


def fail(error: BaseException) -> None:
    raise error


def seen() -> tuple[int, str]:
    kettle = Kettle.objects.get()
    assert kettle.state == "heating"
    assert kettle.claimed_until is None
    return kettle.tries, kettle.failure_code


@pytest.mark.parametrize(("told", "expected"), TOLD)
class TestInTheMiddleOfAStatement:
    @pytest.mark.parametrize("wait", [sleep, sleep_in_a_transaction])
    def test_it_is_put_back(
        self, work: Work, soon: Callable[[], None], expected: tuple[int, str], wait: Callable[[], None]
    ) -> None:
        def heat(_run: Run[Kettle]) -> Ending:
            soon()
            wait()
            return BOILED

        work["heat"] = heat

        run(message(owed()))

        assert seen() == expected

    @pytest.mark.parametrize("wait", [sleep, sleep_in_a_transaction])
    def test_a_set_is_put_back(
        self, sets: Sets, soon: Callable[[], None], expected: tuple[int, str], wait: Callable[[], None]
    ) -> None:
        def heat(_runs: list[Run[Kettle]]) -> Endings:
            soon()
            wait()
            return Endings(each=[BOILED])

        sets.work_as(heat)

        run(message(owed()))

        assert seen() == expected


@pytest.mark.parametrize(("told", "expected"), TOLD)
class TestWhileItIsCommitted:
    def test_it_is_put_back(
        self, work: Work, soon: Callable[[], None], slow_commit: None, expected: tuple[int, str]
    ) -> None:
        def heat(_run: Run[Kettle]) -> Ending:
            soon()
            return BOILED

        work["heat"] = heat

        run(message(owed()))

        assert seen() == expected

    def test_a_set_is_put_back(
        self, sets: Sets, soon: Callable[[], None], slow_commit: None, expected: tuple[int, str]
    ) -> None:
        def heat(_runs: list[Run[Kettle]]) -> Endings:
            soon()
            return Endings(each=[BOILED])

        sets.work_as(heat)

        run(message(owed()))

        assert seen() == expected


class TestAConnection:
    @pytest.fixture(autouse=True)
    def _anew(self) -> Iterator[None]:
        connection.ensure_connection()
        yield
        connection.close()

    def is_dropped(self) -> bool:
        had = connection.connection
        drop_if_torn(connection)
        return connection.connection is not had

    def test_that_is_sound_stays(self) -> None:
        assert not self.is_dropped()
        with transaction.atomic():
            assert not self.is_dropped()
            Kettle.objects.exists()
            assert not self.is_dropped()

    def test_that_was_never_opened_is_not_opened(self) -> None:
        connection.close()

        assert not self.is_dropped()

    def test_in_a_block_that_was_never_entered_is_dropped(self) -> None:
        connection.in_atomic_block = True

        assert self.is_dropped()
        assert not Kettle.objects.exists()

    def test_closed_in_a_block_that_was_never_left_is_opened_again(self) -> None:
        block = transaction.atomic()
        block.__enter__()
        connection.close()
        connection.connection = None

        drop_if_torn(connection)

        assert not Kettle.objects.exists()


class TestToldAsSuch:
    def test_an_error_is_itself_though_it_comes_after_an_interruption(self) -> None:
        with pytest.raises(ZeroDivisionError):
            try:
                fail(SoftTimeLimit())
            except SoftTimeLimit:
                with told_as_such():
                    fail(ZeroDivisionError())
