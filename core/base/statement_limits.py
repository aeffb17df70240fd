"""How long a person waits for the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled
from psycopg.pq import TransactionStatus

from core.base.errors import DatabaseTooBusy

# Sooner than the web server gives the request up.
WITHIN_S = 20.0
# A file of all records is read at once, and sent while it is being read.
FILE_WITHIN_S = 90.0
LOCKS, STATEMENTS, IDLE = "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"


@contextmanager
def answered_in_time() -> Iterator[None]:
    """One transaction, of which no statement takes longer, so that a page is answered with a sentence at the latest.

    Raises:
        DatabaseTooBusy: one would have, or was in the way of another's. Nothing was changed.
    """
    try:
        with in_one_transaction(WITHIN_S):
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, DeadlockDetected | LockNotAvailable | QueryCanceled):
            raise DatabaseTooBusy from error
        raise


@contextmanager
def read_in_time(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """For who reads very much for a file: each statement may take that long, instead of as long as any other request's.

    Args:
        alias: which database it is read in.
    """
    with _with_cursors(alias) if settings.DATABASE_IS_POOLED else _limited(STATEMENTS, FILE_WITHIN_S, alias):
        yield


@contextmanager
def in_one_transaction(at_most_s: float, alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """All of it, of which no statement takes longer."""
    with transaction.atomic(using=alias):
        _limit(STATEMENTS, at_most_s, of_transaction=True, alias=alias)
        yield


@contextmanager
def lock_waits(at_most_s: float) -> Iterator[None]:
    """For who has somebody waiting: locks are waited for no longer than that, and refused as a conflict."""
    with (_limited_each if settings.DATABASE_IS_POOLED else _limited)(LOCKS, at_most_s):
        yield


@contextmanager
def _limited(name: str, at_most_s: float, alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    _limit(name, at_most_s, of_transaction=False, alias=alias)
    try:
        yield
    finally:
        asked = connections[alias]
        if asked.connection and not asked.needs_rollback and asked.is_usable():
            with asked.cursor() as cursor:
                cursor.execute(f"RESET {name}")


def refuse_to_migrate_in_haste(**_signal: Any) -> None:
    """Before the migrations: what a pooler lets last for some seconds only would be broken off, half made where it cannot be taken back.

    Raises:
        CommandError: it does so by the name that DATABASE_URL has.
    """
    limit = _value(STATEMENTS, DEFAULT_DB_ALIAS) if settings.DATABASE_IS_POOLED else "0"
    if limit != "0":
        raise CommandError(
            f"By this name the pooler lets a statement take {limit}, and a migration may take longer. Name its other database, "
            "or PostgreSQL itself, in DATABASE_URL for this command; see docs/operations.md, “A pooler”."
        )


# --- Behind a pooler, which may hand each transaction to another connection -----------------------------------------------


@contextmanager
def _with_cursors(alias: str) -> Iterator[None]:
    """A cursor of the server's is lost with its transaction, so all of it is one; who is sent the file may take their time."""
    asked = connections[alias]
    whole = asked.settings_dict
    with _as_before(STATEMENTS, IDLE, alias=alias), in_one_transaction(FILE_WITHIN_S, alias):
        _limit(IDLE, 0, of_transaction=True, alias=alias)
        asked.settings_dict = {**whole, "DISABLE_SERVER_SIDE_CURSORS": False}
        try:
            yield
        finally:
            asked.settings_dict = whole


@contextmanager
def _limited_each(name: str, at_most_s: float) -> Iterator[None]:
    """Each statement says its limit in the transaction that it is in, or that is made for it."""
    is_inside = False

    def execute(go_on: Callable[..., Any], *given: Any) -> Any:
        nonlocal is_inside
        if is_inside or _is_broken():
            return go_on(*given)
        is_inside = True
        try:
            with transaction.atomic(savepoint=False):
                _limit(name, at_most_s, of_transaction=True)
                return go_on(*given)
        finally:
            is_inside = False

    with _as_before(name), connection.execute_wrapper(execute):
        yield


@contextmanager
def _as_before(*names: str, alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """The rest of a transaction that the body is a part of has the limits again that it had.

    They are not PostgreSQL's defaults, where a pooler has said others.
    """
    had = {name: _value(name, alias) for name in names} if connections[alias].in_atomic_block else {}
    yield
    for name, value in had.items():
        if not _is_broken(alias):
            _set(name, value, of_transaction=True, alias=alias)


def _is_broken(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the transaction has failed, so that nothing but its end is taken."""
    asked = connections[alias]
    ours = asked.connection
    return asked.needs_rollback or (ours is not None and ours.info.transaction_status == TransactionStatus.INERROR)


def _limit(name: str, at_most_s: float, *, of_transaction: bool, alias: str = DEFAULT_DB_ALIAS) -> None:
    _set(name, f"{at_most_s * 1000:.0f}ms", of_transaction=of_transaction, alias=alias)


def _set(name: str, value: str, *, of_transaction: bool, alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, %s)", [name, value, of_transaction])


def _value(name: str, alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])
