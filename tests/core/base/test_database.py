from collections.abc import Iterator

import pytest
from django.db import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from psycopg import errors
from psycopg.pq import ExecStatus

from core.base.database import in_words, is_conflict, is_outage
from tests.pooler import unpooled


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

    def test_is_no_error_of_something_else(self) -> None:
        assert not is_conflict(ValueError())


class TestOutage:
    @pytest.mark.parametrize(
        ("kind", "cause", "words"),
        [
            (OperationalError, None, "The database does not answer (the reason). See that it runs"),
            (InterfaceError, None, "The database does not answer (the reason). See that it runs"),
            (OperationalError, errors.ConnectionFailure, "The database is out of reach"),
            (OperationalError, errors.AdminShutdown, "PostgreSQL stops, starts or recovers"),
            (OperationalError, errors.CannotConnectNow, "PostgreSQL stops, starts or recovers"),
            (OperationalError, errors.QueryCanceled, "PostgreSQL took too long and was cut off"),
            (OperationalError, errors.DiskFull, "PostgreSQL's disk is full"),
            (OperationalError, errors.TooManyConnections, "PostgreSQL takes no more connections"),
            (OperationalError, errors.OutOfMemory, "PostgreSQL is out of memory"),
            (OperationalError, errors.ConfigurationLimitExceeded, "PostgreSQL lacks what it needs"),
            (OperationalError, errors.IoError, "PostgreSQL cannot use its files"),
            (OperationalError, errors.StatementCompletionUnknown, "PostgreSQL has broken off a transaction"),
            (OperationalError, errors.InvalidPassword, "PostgreSQL does not let us in"),
            (OperationalError, errors.InvalidCatalogName, "PostgreSQL has no such database"),
            (InternalError, errors.ReadOnlySqlTransaction, "PostgreSQL is read-only"),
            (InternalError, errors.IdleInTransactionSessionTimeout, "PostgreSQL has ended a transaction"),
        ],
    )
    def test_is_what_has_to_be_waited_out(self, kind: type[Error], cause: type[Exception] | None, words: str) -> None:
        error = raised(kind, cause)

        assert is_outage(error)
        assert not is_conflict(error)
        assert in_words(error).startswith(words)

    @pytest.mark.parametrize(
        ("kind", "cause"),
        [
            (IntegrityError, errors.UniqueViolation),
            (DataError, errors.StringDataRightTruncation),
            (ProgrammingError, errors.SyntaxError),
            (ProgrammingError, errors.InsufficientPrivilege),
            (ProgrammingError, errors.UndefinedTable),
            (OperationalError, errors.ProgramLimitExceeded),
            (OperationalError, errors.ObjectNotInPrerequisiteState),
            (InternalError, errors.InternalError_),
            (InternalError, None),
            (ProgrammingError, None),
        ],
    )
    def test_is_no_bug_of_the_programs(self, kind: type[Error], cause: type[Exception] | None) -> None:
        assert not is_outage(raised(kind, cause))

    @pytest.mark.django_db
    def test_is_what_libpq_has_no_code_for(self) -> None:
        """As where a connection breaks while something is sent: the server has said nothing then."""
        connection.ensure_connection()
        result = connection.connection.pgconn.make_empty_result(ExecStatus.FATAL_ERROR)

        with pytest.raises(DatabaseError) as told, connection.wrap_database_errors:
            raise errors.error_from_result(result)
        connection.errors_occurred = False

        assert is_outage(told.value)

    def test_is_not_what_django_says_of_a_row(self) -> None:
        assert not is_outage(DatabaseError("Forced update did not affect any rows."))

    def test_is_no_error_of_something_else(self) -> None:
        assert not is_outage(ValueError())


TLS, POOLER = "There is no TLS as DATABASE_URL wants it (", "A pooler stands before PostgreSQL, and does not take"
NOT_IN, NO_DATABASE = "PostgreSQL does not let us in (", "PostgreSQL has no such database ("
FULL, READ_ONLY = "PostgreSQL takes no more connections (", "PostgreSQL is read-only"


class TestNoConnection:
    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ('root certificate file "/etc/root.crt" does not exist', TLS),
            ('could not open certificate file "/etc/us.crt": Permission denied', TLS),
            ('private key file "/etc/us.key" has group or world access', TLS),
            ("SSL error: certificate verify failed", TLS),
            ('server certificate for "a" does not match host name "b"', TLS),
            ("server does not support SSL, but SSL was required", TLS),
            ("FATAL:  connection requires a valid client certificate", TLS),
            ('FATAL:  role "nobody" does not exist', NOT_IN),
            ('FATAL:  certificate authentication failed for user "us"', NOT_IN),
            ("fe_sendauth: no password supplied", NOT_IN),
            ('FATAL:  pg_hba.conf rejects connection for host "::1"', NOT_IN),
            ('FATAL:  permission denied for database "x"', NOT_IN),
            ('FATAL:  database "role" does not exist', NO_DATABASE),
            ("FATAL:  no such database: x", NO_DATABASE),
            ("FATAL:  no more connections allowed (max_client_conn)", FULL),
            ("session is read-only", READ_ONLY),
            ("FATAL:  unsupported startup parameter: options", POOLER),
            ("FATAL:  unsupported startup parameter in options: lock_timeout", POOLER),
            ('could not translate host name "does not exist" to address', "The database does not answer ("),
            ("SSL SYSCALL error: EOF detected", "The database does not answer ("),
        ],
    )
    def test_says_what_is_wrong(self, said: str, words: str) -> None:
        error = raised(OperationalError, text=f'connection to server at "h" (::1), port 5432 failed: {said}')

        assert is_outage(error)
        assert in_words(error).startswith(words)
        assert said.removeprefix("FATAL:  ").rpartition(" failed: ")[2] in in_words(error)


@pytest.mark.django_db(transaction=True)
@unpooled  # it says in words of its own what goes wrong behind it
class TestConnecting:
    """What a server says to who may not come in has no code for us, but words."""

    @staticmethod
    def words_of(**given: str) -> str:
        elsewhere = connection.copy()
        elsewhere.settings_dict = {**elsewhere.settings_dict, **given}
        with pytest.raises(OperationalError) as refused:
            elsewhere.ensure_connection()
        assert is_outage(refused.value)
        return in_words(refused.value)

    @pytest.fixture
    def poor(self) -> Iterator[str]:
        """Somebody who may have no connection at all."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE poor LOGIN CONNECTION LIMIT 0")
        yield "poor"
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE poor")

    def test_too_many(self, poor: str) -> None:
        assert self.words_of(USER=poor).startswith(
            'PostgreSQL takes no more connections (too many connections for role "poor"). Raise max_connections'
        )

    def test_no_such_database(self) -> None:
        assert self.words_of(NAME="nothing").startswith('PostgreSQL has no such database (database "nothing" does not')

    def test_no_such_user(self) -> None:
        assert self.words_of(USER="nobody").startswith(
            'PostgreSQL does not let us in (role "nobody" does not exist). See the user in DATABASE_URL'
        )

    def test_nobody_listens(self) -> None:
        assert self.words_of(HOST="127.0.0.1", PORT="1").startswith(
            "The database does not answer (Connection refused)."
        )


class TestInWords:
    @pytest.mark.parametrize("cause", [errors.UndefinedTable, errors.UndefinedColumn])
    def test_tells_what_a_missing_migration_is(self, cause: type[Exception]) -> None:
        error = raised(ProgrammingError, cause)

        assert in_words(error) == "The database lacks tables. Run: python manage.py migrate"
        assert not is_outage(error)

    def test_repeats_what_it_does_not_know(self) -> None:
        assert in_words(raised(ProgrammingError, errors.SyntaxError)) == "The database refuses: the reason"
