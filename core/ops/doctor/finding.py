from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.db import DatabaseError, InterfaceError

from core.ops.probes import Probe, ask_database

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


def answer[T](question: Callable[[], T]) -> T:
    """What is answered while somebody waits.

    Raises:
        TimeoutError: it takes longer than that.
        Exception: what asking has raised.
    """
    return Probe(question).start().result(timeout=PATIENCE_S)


def from_database[T](question: Callable[[], T]) -> T | None:
    """The answer to a question put with Django's models; None if PostgreSQL does not answer, or lacks what it needs."""
    try:
        return answer(lambda: ask_database(question))
    except (DatabaseError, InterfaceError, TimeoutError):
        return None


def unseen(away: str) -> Finding:
    """For what cannot be known while something else is away, whose own line says so."""
    return Finding(Mark.NOTE, f"cannot be looked at without {away}", f"See the line about {away}.")
