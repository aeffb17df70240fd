"""What an error of PostgreSQL means for whoever meets it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, OperationalError, connection
from django.db import InterfaceError as ConnectionBroken
from psycopg.errors import (
    DeadlockDetected,
    IdleInTransactionSessionTimeout,
    LockNotAvailable,
    ReadOnlySqlTransaction,
    SerializationFailure,
    UndefinedColumn,
    UndefinedTable,
)

NOT_MIGRATED = "The database lacks tables. Run: python manage.py migrate"


@contextmanager
def lock_waits(at_most_s: float) -> Iterator[None]:
    """For who has somebody waiting: locks are waited for no longer than that, and refused as a conflict."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{at_most_s * 1000:.0f}ms"])
    try:
        yield
    finally:
        if connection.connection and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


def is_conflict(error: Error) -> bool:
    """Another transaction was in the way; the connection is sound, and the same may work a moment later."""
    return isinstance(error.__cause__, (LockNotAvailable, DeadlockDetected, SerializationFailure))


def is_outage(error: Error) -> bool:
    """The database is away, or takes nothing (a standby, a full disk): to be waited out, and nobody's bug."""
    if isinstance(error, (OperationalError, ConnectionBroken)):
        return not is_conflict(error)
    return isinstance(error.__cause__, (ReadOnlySqlTransaction, IdleInTransactionSessionTimeout))


def is_not_migrated(error: Error) -> bool:
    """Tables or columns are missing: `migrate` has not run yet, or is running."""
    return isinstance(error.__cause__, (UndefinedTable, UndefinedColumn))


def in_words(error: Error) -> str:
    """One sentence that says what is wrong and, where somebody can do something, what."""
    if is_not_migrated(error):
        return NOT_MIGRATED
    reason = str(error).strip().partition("\n")[0]
    if is_conflict(error):
        return f"Somebody else holds a row for too long ({reason})."
    if is_outage(error):
        return f"The database does not answer ({reason}). See that it runs and that DATABASE_URL is right."
    return f"The database refuses: {reason}"
