"""The database becomes what a dump says: in one transaction, so that it is either what it was or all of the backup."""

from collections.abc import Generator, Iterable, Iterator
from itertools import chain

from django.db import connection
from psycopg import sql

from core.backups.errors import BackupRefused
from core.backups.manifest import Manifest
from core.backups.postgres import Programs, major_of, reaching, server_version
from core.backups.snapshot import SCHEMA, tables
from core.backups.streams import drained, piped
from core.base.database import RESTORING

# Of a database that was only migrated, these are empty.
OF_PEOPLE = ("auth_user", "leases_lease", "documents_document", "statemachine_transitionlog")
OTHERS = """
SELECT COALESCE(NULLIF(application_name, ''), 'a program') || COALESCE(' at ' || host(client_addr), '') || ' (' || pid || ')'
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() AND pid <> %s AND backend_type = 'client backend'
ORDER BY 1
"""
# What belongs to an extension stays, and so does what is not of our schema.
CLEAR = """
DO $clear$
DECLARE
    -- All of them before the first goes: what goes with another has no name any more.
    drops text[] := ARRAY(
        SELECT format(
            'DROP %s IF EXISTS %I.%I CASCADE',
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
            'public', relname
        )
        FROM pg_catalog.pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            -- Of an extension, or of a column with which it goes.
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = c.oid
                AND (deptype = 'e' OR relkind = 'S' AND deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
        FROM pg_catalog.pg_proc p WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = p.oid AND deptype = 'e')
        UNION ALL
        SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', 'public', typname) FROM pg_catalog.pg_type t
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = t.oid AND deptype = 'e')
    );
    each text;
BEGIN
    FOREACH each IN ARRAY drops LOOP
        EXECUTE each;
    END LOOP;
END
$clear$;
"""


def restored_from() -> str | None:
    """From which backup the database was restored, where what follows was broken off; empty: it holds nothing; None: it does."""
    with connection.cursor() as cursor:
        there = tables(cursor)
        if RESTORING in there:
            cursor.execute(f"SELECT backup FROM {SCHEMA}.{RESTORING}")  # noqa: S608 - names of this module's own
            return str(cursor.fetchone()[0])
        for name in OF_PEOPLE:
            if name in there:
                cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(SCHEMA, name)))
                if cursor.fetchone()[0]:
                    return None
    return ""


def require_fit(manifest: Manifest, known: Iterable[tuple[str, str]]) -> None:
    """Go on only if this Runsheet and this server understand the backup.

    Args:
        known: app and name of the migrations that are known here.

    Raises:
        BackupRefused: they do not.
    """
    here = set(known)
    newer = [f"{app}.{name}" for app, names in manifest.migrations.items() for name in names if (app, name) not in here]
    if newer:
        raise BackupRefused(
            f"Backup {manifest.id} is of another Runsheet, {manifest.runsheet}, which has migrations that are not known here: "
            f"{', '.join(newer[:5])}. Upgrade to it, then restore."
        )
    server = server_version()
    if major_of(server) < major_of(manifest.servers.postgresql):
        raise BackupRefused(
            f"Backup {manifest.id} is of PostgreSQL {manifest.servers.postgresql}, and here is {server}, which is older. Restore it to "
            "that version, or a later one."
        )


def require_alone(besides: int = 0) -> None:
    """Go on only if no program of ours is connected.

    Args:
        besides: the number of a connection of our own.

    Raises:
        BackupRefused: one is.
    """
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, [besides])
        others = [name for (name,) in cursor.fetchall()]
    if others:
        raise BackupRefused(
            f"Others are connected to the database: {', '.join(others)}. Stop web, workers and reconciler, then repeat."
        )


def replace(dump: Generator[bytes], *, backup_id: str, tools: Programs) -> None:
    """Let the database be what the dump says, and nothing else.

    Args:
        dump: as statements.

    Raises:
        BackupBroken: PostgreSQL has refused something; the database is as it was.
        BackupDamaged: the dump is not whole; the same.
    """
    command = [tools["psql"], "--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null"]
    with reaching() as environment:
        drained(
            piped(
                [*command, "--set=ON_ERROR_STOP=1", "--file=-"],
                _in_one(dump, backup_id),
                environment=environment,
            )
        )
    connection.close()  # what it knows of tables is of those that have gone


def _in_one(dump: Iterator[bytes], backup_id: str) -> Iterator[bytes]:
    """What comes to no COMMIT, since the dump breaks off, was never there. The mark goes once all that follows is done."""
    last = f"CREATE TABLE {SCHEMA}.{RESTORING} (backup text); INSERT INTO {SCHEMA}.{RESTORING} VALUES ('{backup_id}');\nCOMMIT;\n"  # noqa: S608 - an id that was checked
    return chain([b"BEGIN;\n", CLEAR.encode()], dump, [last.encode()])


def forget_mark() -> None:
    """All that follows is done."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{RESTORING}")
