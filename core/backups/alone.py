"""One backup or restore at a time, while nothing is deleted that it may need and nothing moves."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error

from core.backups.errors import BackupBroken, BackupRefused
from core.backups.postgres import require_itself
from core.base.locks import Locks
from documents.services.in_charge import DELETING, MOVING

BACKING_UP = "hashtext('backups'), 0"


@contextmanager
def alone() -> Iterator[Locks]:
    """Raises:
    BackupRefused: somebody else is at it, or moves the documents; or a pooler stands before PostgreSQL.
    BackupBroken: the connection that holds the locks is lost.
    """
    require_itself()
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
