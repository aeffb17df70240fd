"""What comes from outside in the middle of the work: its time is over, or its worker is to stop.

It comes at any moment, so also while PostgreSQL is at a statement, whose answer nobody reads then: such a connection takes nothing
any more. If it comes while a transaction is being committed, Django raises an error of its own about that.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Error
from psycopg.pq import TransactionStatus

from core.base.errors import SoftTimeLimit, WorkerStopping

# How long PostgreSQL has to take the order to break off a statement.
CANCELLING_S = 2.0


@contextmanager
def told_as_such() -> Iterator[None]:
    """What interrupts the body comes out of it as itself, and what is done next has a connection that can be used.

    Raises:
        SoftTimeLimit, WorkerStopping: the body was interrupted.
    """
    handled = sys.exception()
    try:
        yield
    except BaseException as error:
        interruption = _interruption_in(error, until=handled)
        if interruption is None:
            raise
        drop_if_torn(connection)
        raise interruption from None


def drop_if_torn(database: BaseDatabaseWrapper) -> None:
    """Close a connection in which something was interrupted. The next statement opens another one."""
    ours = database.connection
    if not _is_torn(database):
        return
    if ours is not None and ours.info.transaction_status == TransactionStatus.ACTIVE:
        with suppress(Error):  # it may hold locks, for as long as it takes
            ours.cancel_safe(timeout=CANCELLING_S)
    database.in_atomic_block = False  # nobody is in that block any more
    database.close()


def _is_torn(database: BaseDatabaseWrapper) -> bool:
    ours, is_inside = database.connection, database.in_atomic_block
    if ours is None:
        return is_inside
    sound = {TransactionStatus.IDLE}
    if is_inside:
        sound |= {TransactionStatus.INTRANS, TransactionStatus.INERROR}
    return is_inside == database.autocommit or ours.info.transaction_status not in sound


def _interruption_in(
    error: BaseException | None, *, until: BaseException | None
) -> SoftTimeLimit | WorkerStopping | None:
    """The error itself, or what it came of; `until` is older than all of that."""
    while error is not None and error is not until:
        if isinstance(error, SoftTimeLimit | WorkerStopping):
            return error
        error = error.__context__
    return None
