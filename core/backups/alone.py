"""One backup or restore at a time, while nothing is deleted that it may need and nothing moves. PostgreSQL forgets it the moment we die."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.backups.errors import BackupBroken, BackupRefused
from documents.services.in_charge import DELETING, MOVING

BACKING_UP = "hashtext('backups'), 0"
# Nobody who deletes holds a lock for longer.
LOCK_S = 60


class Alone:
    """As long as this connection lasts."""

    def __init__(self, own: BaseDatabaseWrapper) -> None:
        self._own = own

    def require(self) -> None:
        """That it still is so.

        Raises:
            BackupBroken: the connection is lost.
        """
        self._ask("SELECT 1")

    @property
    def pid(self) -> int:
        """By which PostgreSQL knows this connection."""
        return int(str(self._ask("SELECT pg_backend_pid()")))

    def begin(self) -> None:
        """Raises: BackupRefused: somebody is at it."""
        # In one transaction for all of it, so that a pooler gives us one connection. It holds nothing but the locks.
        self._own.set_autocommit(False)
        self._ask("SET LOCAL idle_in_transaction_session_timeout = 0")
        self._ask(f"SET LOCAL lock_timeout = '{LOCK_S}s'")
        if not self._ask(f"SELECT pg_try_advisory_xact_lock({BACKING_UP})"):
            raise BackupRefused("Another backup or restore of this database is under way. Wait until it has ended.")
        if not self._ask(f"SELECT pg_try_advisory_xact_lock_shared({MOVING})"):
            raise BackupRefused("The documents are being moved to another place. Wait until that has ended, or end it.")
        self._ask(f"SELECT pg_advisory_xact_lock({DELETING})")

    def _ask(self, sql: str) -> object:
        try:
            with self._own.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0] if cursor.description else None
        except Error as error:
            raise BackupBroken(
                f"The database does not hold the locks any more: {error} Run the same command again, and it goes on with what is there."
            ) from error


@contextmanager
def alone() -> Iterator[Alone]:
    """Raises:
    BackupRefused: somebody else is at it, or moves the documents.
    """
    own = connection.copy()
    try:
        found = Alone(own)
        found.begin()
        yield found
    finally:
        with suppress(Error):  # where it is lost, so are the locks
            own.rollback()
        own.close()
