"""Advisory locks on a connection of one's own: PostgreSQL takes them back the moment we die."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper

# Nobody who writes or deletes holds a lock for longer.
LOCK_S = 60


class Locks:
    """What is taken is held as long as this connection lasts. A lock is two numbers, as PostgreSQL writes them.

    Args:
        lost: what is raised where the connection is lost, or somebody holds a lock for too long.
    """

    def __init__(self, own: BaseDatabaseWrapper, lost: Callable[[Error], Exception]) -> None:
        self._own = own
        self._lost = lost

    @classmethod
    @contextmanager
    def held(cls, lost: Callable[[Error], Exception]) -> Iterator[Self]:
        """Until the body ends."""
        own = connection.copy()
        try:
            found = cls(own, lost)
            found._begin()
            yield found
        finally:
            with suppress(Error):  # where it is lost, so are the locks
                own.rollback()
            own.close()

    def require(self) -> None:
        """That the connection still is there, and with it the locks."""
        self._ask("SELECT 1")

    def take(self, lock: str) -> None:
        """Wait until nobody holds it, and let nobody have it."""
        self._ask(f"SELECT pg_advisory_xact_lock({lock})")

    def try_to_take(self, lock: str, *, shared: bool = False) -> bool:
        """Whether nobody held it, or, shared, nobody alone."""
        return bool(self._ask(f"SELECT pg_try_advisory_xact_lock{'_shared' if shared else ''}({lock})"))

    @property
    def pid(self) -> int:
        """By which PostgreSQL knows this connection."""
        return int(self._ask("SELECT pg_backend_pid()"))

    def _begin(self) -> None:
        # In one transaction for all of it, so that a pooler gives us one connection. It holds nothing but the locks.
        with self._translated():
            self._own.set_autocommit(False)
        self._ask("SET LOCAL idle_in_transaction_session_timeout = 0")
        self._ask(f"SET LOCAL lock_timeout = '{LOCK_S}s'")

    def _ask(self, sql: str, given: Sequence[Any] | None = None) -> Any:
        """The first column of the first row, if there is one."""
        with self._translated(), self._own.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchone()[0] if cursor.description else None

    def _commit(self) -> None:
        """Let go of all, and let what was written be."""
        with self._translated():
            self._own.commit()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Error as error:
            raise self._lost(error) from error
