import pytest
from django.db import Error, InterfaceError, InternalError, OperationalError, ProgrammingError, connection, transaction
from psycopg import errors

from core.database import in_words, is_conflict, is_outage, lock_waits


def raised(kind: type[Error], cause: type[Exception] | None = None, text: str = "the reason\nDETAIL: more") -> Error:
    """As Django raises it: its own kind, with psycopg's as the cause."""
    error = kind(text)
    error.__cause__ = cause() if cause else None
    return error


class TestConflict:
    @pytest.mark.parametrize("cause", [errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure])
    def test_is_what_works_a_moment_later(self, cause: type[Exception]) -> None:
        error = raised(OperationalError, cause)

        assert is_conflict(error)
        assert not is_outage(error)
        assert in_words(error) == "Somebody else holds a row for too long (the reason)."


class TestOutage:
    @pytest.mark.parametrize(
        ("kind", "cause"),
        [
            (OperationalError, None),
            (OperationalError, errors.AdminShutdown),
            (InterfaceError, None),
            (InternalError, errors.ReadOnlySqlTransaction),
            (InternalError, errors.IdleInTransactionSessionTimeout),
        ],
    )
    def test_is_what_has_to_be_waited_out(self, kind: type[Error], cause: type[Exception] | None) -> None:
        error = raised(kind, cause)

        assert is_outage(error)
        assert not is_conflict(error)
        assert in_words(error).startswith("The database does not answer (the reason). See that it runs")


class TestInWords:
    @pytest.mark.parametrize("cause", [errors.UndefinedTable, errors.UndefinedColumn])
    def test_tells_what_a_missing_migration_is(self, cause: type[Exception]) -> None:
        error = raised(ProgrammingError, cause)

        assert in_words(error) == "The database lacks tables. Run: python manage.py migrate"
        assert not is_outage(error)

    def test_repeats_what_it_does_not_know(self) -> None:
        assert in_words(raised(ProgrammingError, errors.SyntaxError)) == "The database refuses: the reason"


@pytest.mark.django_db
class TestLockWaits:
    @staticmethod
    def now() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return str(cursor.fetchone()[0])

    def test_are_short_within_and_as_before_after_it(self) -> None:
        before = self.now()

        with lock_waits(1.5):
            within = self.now()

        assert (within, self.now()) == ("1500ms", before)

    def test_are_as_before_after_a_failure(self) -> None:
        before = self.now()

        with pytest.raises(ProgrammingError), lock_waits(1.5), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

        assert self.now() == before
