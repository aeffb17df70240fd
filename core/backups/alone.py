"""One backup or restore at a time, while nothing is deleted that it may need and nothing moves."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import Error

from core.backups.errors import BackupBroken, BackupRefused
from core.base.locks import Locks
from documents.services.in_charge import DELETING, MOVING

BACKING_UP = "hashtext('backups'), 0"


@contextmanager
def alone() -> Iterator[Locks]:
    """Raises:
    BackupRefused: somebody else is at it, or moves the documents; or a pooler stands before PostgreSQL.
    BackupBroken: the connection that holds the locks is lost.
    """
    if settings.DATABASE_IS_POOLED:  # what pg_dump and psql say to a connection, the next transaction would not know
        raise BackupRefused(
            "A pooler stands before PostgreSQL (DATABASE_POOLER). Name PostgreSQL itself in DATABASE_URL, and leave "
            "DATABASE_POOLER out, for this command."
        )
    with Locks.held(_lost) as here:
        if not here.try_to_take(BACKING_UP):
            raise BackupRefused("Another backup or restore of this database is under way. Wait until it has ended.")
        if not here.try_to_take(MOVING, shared=True):
            raise BackupRefused("The documents are being moved to another place. Wait until that has ended, or end it.")
        here.take(DELETING)
        yield here


def _lost(error: Error) -> BackupBroken:
    return BackupBroken(
        f"The database does not hold the locks any more: {error} Run the same command again, and it goes on with what is there."
    )
