"""All that the database says, to be compared."""

from typing import Any

from django.db import connection
from psycopg import sql

from core.backups.snapshot import tables

# What a restore itself adds to: the runs of the index that it ends with, their plans and history, times and etags of files;
# which sidecars were written; and what Django and the engine keep of this process's own doing.
ITS_OWN = frozenset(
    {
        "django_migrations",
        "documents_documentsidecar",
        "documents_owedsidecar",
        "storage_indexchange",
        "storage_indexrun",
        "storage_storedfile",
    }
)


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Of each table but those of `ITS_OWN`, in an order of their own; of the history, what is of no run of the index."""
    with connection.cursor() as cursor:
        return {name: _rows(cursor, name) for name in tables(cursor) if name not in ITS_OWN}


def _rows(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    where = " WHERE record_type <> 'storage.indexrun'" if name == "statemachine_transitionlog" else ""
    cursor.execute(sql.SQL("SELECT * FROM {} AS it" + where).format(sql.Identifier(name)))
    return sorted(cursor.fetchall(), key=repr)
