"""Which statements PostgreSQL was sent, in its own words: what it writes to its log when it is told to write all."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

# A line of PostgreSQL's log as it is made below; the further lines of a statement begin with a tab.
LINE = re.compile(r"^(?P<program>[a-z]+)\|\d+\|LOG:  (?:statement|execute [^:]*): (?P<statement>.*)", re.DOTALL)
# What only frames other statements. Each is a message to the server and back all the same.
FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
SETTINGS = {"log_statement": "all", "log_line_prefix": "%a|%p|"}
TOLD_WITHIN_S = 5.0


@dataclass(slots=True)
class Told:
    """What each program has sent, in order, by the name that it has given itself (`PGAPPNAME`)."""

    by: dict[str, list[str]] = field(default_factory=dict)

    def count(self, program: str) -> int:
        """All of them: BEGIN, COMMIT and savepoints, too."""
        return len(self.by.get(program, []))

    def frame_count(self, program: str) -> int:
        """Those that begin and end transactions and savepoints."""
        return sum(statement.startswith(FRAMES) for statement in self.by.get(program, []))


@contextmanager
def told(log: Path) -> Iterator[Told]:
    """All that is sent while the body runs, by every program; complete when it has ended.

    Args:
        log: PostgreSQL's.
    """
    found = Told()
    with connection.cursor() as cursor:
        for name, value in SETTINGS.items():
            cursor.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        cursor.execute("SELECT pg_reload_conf()")
    _await(log, log.stat().st_size)
    began_at = log.stat().st_size
    try:
        yield found
    finally:
        ended_at = _await(log, began_at)
        with connection.cursor() as cursor:
            for name in SETTINGS:
                cursor.execute(f"ALTER SYSTEM RESET {name}")
            cursor.execute("SELECT pg_reload_conf()")
    with log.open("rb") as file:
        file.seek(began_at)
        found.by = by_program(file.read(ended_at - began_at).decode())


@contextmanager
def looking_on() -> Iterator[None]:
    """What this process sends while the body runs is nobody's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', 'onlooker', false)")
        yield
        cursor.execute("RESET application_name")


def by_program(text: str) -> dict[str, list[str]]:
    """The statements in a piece of PostgreSQL's log."""
    found: dict[str, list[str]] = {}
    for line in text.replace("\n\t", " ").splitlines():
        if (match := LINE.match(line)) and "application_name" not in match["statement"]:
            found.setdefault(match["program"], []).append(match["statement"])
    return found


def _await(log: Path, since: int) -> int:
    """Wait until a statement of our own is in the log; where it begins there."""
    word = f"told {time.monotonic_ns()}"
    until = time.monotonic() + TOLD_WITHIN_S
    while time.monotonic() < until:
        with looking_on(), connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 -- {word}")
        with log.open("rb") as file:
            file.seek(since)
            if (at := file.read().find(word.encode())) >= 0:
                return since + at
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL does not write what it is sent to {log}")
