"""One moment of the database, which several read: `pg_dump`, and we."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from core.backups.lists import Spool, Version
from core.backups.postgres import Programs, reaching
from core.backups.streams import piped
from core.base.database import RESTORING
from storage.models import StorageRoot

SCHEMA = "public"
AT_ONCE = 5_000
# A table in parts counts as one: months come and go.
TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition "
    "ORDER BY relname"
)
# What others have laid beside ours: a restore replaces only ours. One that an extension lies in has to be there before that.
OTHER_SCHEMAS = """
SELECT nspname FROM pg_namespace n WHERE nspname <> %s AND nspname <> 'information_schema' AND nspname !~ '^pg_'
AND NOT EXISTS (SELECT FROM pg_extension WHERE extnamespace = n.oid) ORDER BY nspname
"""
VERSIONS = "SELECT DISTINCT ON (key) key, sha256, size FROM documents_documentversion ORDER BY key, number"
# Of whoever waits for a lock that somebody holds, such as a migration.
LOCK_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the database says at one moment.

    Attributes:
        name: by which PostgreSQL lets others see the same.
        made_at: by the database's clock.
        root: the marker of the root of documents; empty if it has none.
        migrations: those that were applied, by app.
        tables: how many rows each table has.
        other_schemas: the names of those that are not ours.
    """

    name: str
    made_at: datetime
    root: str
    migrations: dict[str, list[str]]
    tables: dict[str, int]
    other_schemas: list[str]


@contextmanager
def taken(versions: Spool[Version], *, root: StorageRoot) -> Iterator[Snapshot]:
    """Hold a moment for as long as the body lasts, so that it can be dumped.

    Args:
        versions: is filled with what versions of documents stand on.
    """
    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot(), now()")
            name, made_at = cursor.fetchone()
            cursor.execute("SELECT marker FROM storage_storageroot WHERE id = %s", [root.pk])
            (marker,) = cursor.fetchone()
            found = Snapshot(
                name=name,
                made_at=made_at,
                root=marker,
                migrations=applied(cursor),
                tables=_counted(cursor),
                other_schemas=_other_schemas(cursor),
            )
            _read_versions(cursor, versions)
        yield found
    finally:
        with suppress(Error):
            own.rollback()
        own.close()


def dumped(snapshot: Snapshot, programs: Programs) -> Iterator[bytes]:
    """All that is ours of the database, as `pg_dump` says it in its own format.

    Raises:
        BackupBroken: it has failed.
    """
    command = [
        programs["pg_dump"],
        "--format=custom",
        "--no-password",
        # Of all extensions only the one that each server has: none is ours, and to make one takes a superuser.
        "--extension=plpgsql",
        # The rows of a table in parts are those of the table.
        "--load-via-partition-root",
        # These would be in the way where they are there already; nothing of ours is among them.
        "--no-publications",
        "--no-subscriptions",
        "--no-blobs",
        f"--exclude-table={_pattern(SCHEMA)}.{_pattern(RESTORING)}",
        *(f"--exclude-schema={_pattern(each)}" for each in snapshot.other_schemas),
        f"--lock-wait-timeout={LOCK_S}s",
        f"--snapshot={snapshot.name}",
    ]
    with reaching() as environment:
        yield from piped(command, environment=environment)


def applied(cursor: CursorWrapper) -> dict[str, list[str]]:
    """The migrations that a database has, by app."""
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    found: dict[str, list[str]] = {}
    for app, name in cursor.fetchall():
        found.setdefault(app, []).append(name)
    return found


def tables(cursor: CursorWrapper) -> list[str]:
    """The names of all tables."""
    cursor.execute(TABLES, [SCHEMA])
    return [name for (name,) in cursor.fetchall()]


def _other_schemas(cursor: CursorWrapper) -> list[str]:
    cursor.execute(OTHER_SCHEMAS, [SCHEMA])
    return [name for (name,) in cursor.fetchall()]


def _pattern(name: str) -> str:
    """Just this name, whatever it is made of."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _counted(cursor: CursorWrapper) -> dict[str, int]:
    counts = {}
    for name in tables(cursor):
        if name == RESTORING:
            continue
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SCHEMA, name)))
        (counts[name],) = cursor.fetchone()
    return counts


def _read_versions(cursor: CursorWrapper, versions: Spool[Version]) -> None:
    """By a cursor of the server's, which lasts as long as the transaction does."""
    cursor.execute(f"DECLARE versions NO SCROLL CURSOR FOR {VERSIONS}")
    while True:
        cursor.execute(f"FETCH {AT_ONCE} FROM versions")
        rows = cursor.fetchall()
        if not rows:
            return
        for key, digest, size in rows:
            versions.add(Version(key=key, sha256=digest, size=size))
