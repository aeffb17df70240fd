"""How long a person waits for the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from core.base.errors import DatabaseTooBusy

# Sooner than the web server gives the request up.
WITHIN_S = 20.0
# A file of all records is read at once, and sent while it is being read.
FILE_WITHIN_S = 90.0


@contextmanager
def answered_in_time() -> Iterator[None]:
    """One transaction, of which no statement takes longer, so that a page is answered with a sentence at the latest.

    Raises:
        DatabaseTooBusy: one would have, or was in the way of another's. Nothing was changed.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{WITHIN_S * 1000:.0f}ms"])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, DeadlockDetected | LockNotAvailable | QueryCanceled):
            raise DatabaseTooBusy from error
        raise


@contextmanager
def read_in_time() -> Iterator[None]:
    """For who reads very much for a file: each statement may take that long, instead of as long as any other request's."""
    _allow_statements(FILE_WITHIN_S)
    try:
        yield
    finally:
        if connection.connection and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


def _allow_statements(at_most_s: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{at_most_s * 1000:.0f}ms"])
