"""All that the database says, to be compared."""

from typing import Any

from django.db import connection
from psycopg import sql

from core.backups.snapshot import tables

# What a restore itself adds to: the runs of the index that it ends with, their plans and history, times and etags of files;
# which sidecars were written; which backup was the last; and when programs were last alive.
ITS_OWN = frozenset(
    {
        "core_lastbackup",
        "django_migrations",
        "documents_documentsidecar",
        "documents_owedsidecar",
        "statemachine_heartbeat",
        "storage_indexchange",
        "storage_indexrun",
        "storage_storedfile",
    }
)
HISTORY = "statemachine_transitionlog"
# Of a record that is owed: what changes when it is rung for.
RUNG = ["generation", "due_at", "rung_at", "claimed_until"]
LINES = sql.SQL(
    "SELECT (CASE WHEN line ? 'rung_at' AND line ->> 'due_at' IS NOT NULL THEN line - {rung}::text[] ELSE line END)::text "
    "FROM (SELECT to_jsonb(it) AS line {rows}) lines ORDER BY 1"
)


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Of each table but those of `ITS_OWN`, in an order of their own; of the history, what is of no run of the index."""
    with connection.cursor() as cursor:
        return {name: _rows(cursor, name) for name in _compared(cursor)}


def lines(cursor: Any) -> dict[str, tuple[str, ...]]:
    """The same of another connection's moment, each row as JSON; of what is owed without when it was rung for.

    Whoever works in the database, as the run of the index at the end of a restore, rings for what is owed and due.
    """
    found = {}
    for name in _compared(cursor):
        cursor.execute(LINES.format(rung=sql.Literal(RUNG), rows=_from(name)))
        found[name] = tuple(line for (line,) in cursor.fetchall())
    return found


def _compared(cursor: Any) -> list[str]:
    return [name for name in tables(cursor) if name not in ITS_OWN]


def _rows(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql.SQL("SELECT * {}").format(_from(name)))
    return sorted(cursor.fetchall(), key=repr)


def _from(name: str) -> sql.Composed:
    where = " WHERE record_type <> 'storage.indexrun'" if name == HISTORY else ""
    return sql.SQL("FROM {} AS it" + where).format(sql.Identifier(name))
