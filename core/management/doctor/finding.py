from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.db import DatabaseError, InterfaceError
from redis import Redis
from redis.exceptions import RedisError

from core.probes import Probe, ask_database, ask_redis

PATIENCE_S = 4.0


class Mark(StrEnum):
    """How something is."""

    OK = "ok"
    NOTE = "note"  # works, but somebody should know
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        seen: what was found, in a few words.
        advice: what is wrong and what to do, in a sentence; empty if nothing is.
    """

    mark: Mark
    seen: str
    advice: str = ""


def from_database[T](question: Callable[[], T]) -> T | None:
    """The answer to a question put with Django's models; None if PostgreSQL does not answer, or lacks what it needs."""
    try:
        return Probe(lambda: ask_database(question)).start().result(timeout=PATIENCE_S)
    except (DatabaseError, InterfaceError, TimeoutError):
        return None


def from_redis[T](question: Callable[[Redis], T]) -> T | None:
    """The answer to a question put to Redis; None if it does not answer."""
    try:
        return Probe(lambda: ask_redis(question)).start().result(timeout=PATIENCE_S)
    except (RedisError, TimeoutError):
        return None


def unseen(away: str) -> Finding:
    """For what cannot be known while something else is away, whose own line says so."""
    return Finding(Mark.NOTE, f"cannot be looked at without {away}", f"See the line about {away}.")
