"""All that the database says, to be compared."""

from typing import Any

from django.db import connection
from psycopg import sql

from core.backups.snapshot import tables

# What a restore itself adds to: the runs of the index that it ends with, their plans and history, times and etags of files;
# which sidecars were written; and when programs were last alive.
ITS_OWN = frozenset(
    {
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


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Of each table but those of `ITS_OWN`, in an order of their own; of the history, what is of no run of the index."""
    with connection.cursor() as cursor:
        return {name: _rows(cursor, name) for name in _compared(cursor)}


def digests(cursor: Any) -> dict[str, tuple[int, str]]:
    """The same, of many: how many rows there are, and a digest of them."""
    found = {}
    for name in _compared(cursor):
        cursor.execute(
            sql.SQL(
                "SELECT count(*), md5(string_agg(line, '' ORDER BY line)) FROM (SELECT md5(it::text) AS line {}) lines"
            ).format(_from(name))
        )
        found[name] = cursor.fetchone()
    return found


def _compared(cursor: Any) -> list[str]:
    return [name for name in tables(cursor) if name not in ITS_OWN]


def _rows(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql.SQL("SELECT * {}").format(_from(name)))
    return sorted(cursor.fetchall(), key=repr)


def _from(name: str) -> sql.Composed:
    where = " WHERE record_type <> 'storage.indexrun'" if name == HISTORY else ""
    return sql.SQL("FROM {} AS it" + where).format(sql.Identifier(name))
