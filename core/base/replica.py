"""Which reads may be of a replica: those of lists and exports, where whoever answers a request has said so, and no other.

A replica is behind by some moments, so nothing that is read there decides anything. See docs/decisions/0029-lists-from-a-replica.md.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Timer
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

ALIAS = "replica"

_alias: ContextVar[str] = ContextVar("alias_of_lists", default=DEFAULT_DB_ALIAS)


def is_configured() -> bool:
    """Whether there is one to be asked."""
    return ALIAS in connections.settings


@contextmanager
def reading() -> Iterator[None]:
    """What models are asked for in the body is read at the replica; what they save, lock or are asked for to be locked is not."""
    before = _alias.set(ALIAS)
    try:
        yield
    finally:
        _alias.reset(before)


def alias_of_lists() -> str:
    """Where models are asked now: for who is asked for more of the same once the body is over, such as a file that is sent."""
    return _alias.get()


class Router:
    """Django's way to say which database is asked."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        """Who somebody is, and what they may, is never asked of a replica."""
        return DEFAULT_DB_ALIAS if model._meta.app_label in settings.READ_AT_THE_PRIMARY else _alias.get()

    def db_for_write(self, _model: type[Model], **_hints: Any) -> str:
        """Also of what is locked."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, _one: Model, _other: Model, **_hints: Any) -> bool:
        """It is one database, wherever it was read."""
        return True

    def allow_migrate(self, db: str, _app_label: str, **_hints: Any) -> bool:
        """A replica gets its tables from the primary."""
        return db == DEFAULT_DB_ALIAS


@contextmanager
def cut_off(after_s: float) -> Iterator[None]:
    """End the connection to the replica if the body takes longer: a server that hangs would be waited for without end.

    Raises:
        django.db.Error: it cannot be reached at all.
    """
    connections[ALIAS].ensure_connection()
    # Of our own: by the time that it is ended, the connection's number may be another's.
    with socket.socket(fileno=os.dup(connections[ALIAS].connection.fileno())) as way:
        timer = Timer(after_s, _end, [way])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _end(way: socket.socket) -> None:
    with suppress(OSError):  # the body is over
        way.shutdown(socket.SHUT_RDWR)
