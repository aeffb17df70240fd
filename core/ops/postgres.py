"""What PostgreSQL tells of itself: how full and how busy it is. A few statements, however much lies in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, OperationalError, connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.ops.redaction import redact_text

LARGEST_TABLES = 12
# PostgreSQL's word for an extension that shared_preload_libraries does not name.
NOT_LOADED = "55000"

# Of sessions that are another role's, a role without the right to see them is told no more than that they are there.
ITSELF = """
SELECT pg_database_size(current_database()),
    count(*) FILTER (WHERE backend_type IS NULL OR backend_type = 'client backend'),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    COALESCE(EXTRACT(epoch FROM max(clock_timestamp() - xact_start)
        FILTER (WHERE datname = current_database() AND pid <> pg_backend_pid())), 0)
FROM pg_stat_activity
"""
# One that fails is tried again, so what counts is what came last.
ARCHIVING = """
SELECT current_setting('archive_mode') <> 'off', last_archived_time,
    current_setting('archive_mode') <> 'off' AND last_failed_time > COALESCE(last_archived_time, '-infinity')
FROM pg_stat_archiver
"""
# A table in parts counts as one.
TABLES = """
SELECT class.relname, sum(pg_total_relation_size(part.relid))::bigint AS bytes,
    sum(part.n_live_tup)::bigint, sum(part.n_dead_tup)::bigint
FROM pg_stat_user_tables part JOIN pg_class class ON class.oid = COALESCE(pg_partition_root(part.relid), part.relid)
WHERE part.schemaname = current_schema() GROUP BY class.oid, class.relname ORDER BY bytes DESC, class.relname LIMIT %s
"""
# Of this database, without what needs rights to be seen, and without statements that may name a password.
STATEMENTS = """
SELECT query, calls, mean_exec_time / 1000, total_exec_time / NULLIF(sum(total_exec_time) OVER (), 0)
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query ~* '^[[:space:](]*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)'
ORDER BY total_exec_time DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table on disk.

    Attributes:
        size_bytes: with its indexes, and what lies beside it.
        dead_rows: those that are to be cleared away.
    """

    name: str
    size_bytes: int
    live_rows: int
    dead_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was asked again and again, since the figures were last reset.

    Attributes:
        text: with placeholders for all values, in one line.
        mean_s: how long it took on average.
        share: of the time of all statements of this database, from 0 to 1.
    """

    text: str
    calls: int
    mean_s: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Archiving:
    """Of the write-ahead log.

    Attributes:
        is_on: whether it is archived at all.
        last_at: when a file of it was archived; None: never yet.
        fails: whether the last try failed.
    """

    is_on: bool
    last_at: datetime | None
    fails: bool


def archiving() -> Archiving:
    """Whether PostgreSQL archives its log, and whether that works.

    Raises:
        Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(ARCHIVING)
        is_on, last_at, fails = cursor.fetchone()
    return Archiving(is_on=is_on, last_at=last_at, fails=bool(fails))


def largest_tables(at_most: int) -> list[Table]:
    """The largest first.

    Raises:
        Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [at_most])
        return [
            Table(name=name, size_bytes=size, live_rows=live, dead_rows=dead)
            for name, size, live, dead in cursor.fetchall()
        ]


def costliest_statements(at_most: int) -> list[Statement] | None:
    """Those that took most of the time in all; None where the extension is not there, or was not loaded at the start.

    Raises:
        Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_stat_statements') IS NOT NULL")
        if cursor.fetchone() == (False,):
            return None
        try:
            with transaction.atomic():
                cursor.execute(STATEMENTS, [at_most])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") == NOT_LOADED:
                return None
            raise
        return [
            Statement(text=redact_text(re.sub(r"\s+", " ", text)), calls=calls, mean_s=mean_s, share=share or 0.0)
            for text, calls, mean_s, share in cursor.fetchall()
        ]


def logs_statements_over_ms() -> int:
    """From which duration on a statement stands in its log; -1: never, 0: each.

    Raises:
        Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'log_min_duration_statement'")
        return int(cursor.fetchone()[0])


class PostgresCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(ITSELF)
                size, used, most, oldest_s = cursor.fetchone()
            tables = largest_tables(LARGEST_TABLES)
            archives = archiving()
        except Error:
            return
        yield _gauge("bytes", "What the database takes on disk.", size)
        yield _gauge("connections", "Connections to the server, to all of its databases.", used)
        yield _gauge("connections_at_most", "How many connections the server takes from others than superusers.", most)
        yield _gauge("oldest_transaction_seconds", "How long the oldest transaction of others has been open.", oldest_s)
        yield _gauge("archiving_fails", "1: its log is to be archived, and cannot be.", archives.fails)
        yield from _of_tables(tables)


def _of_tables(tables: list[Table]) -> Iterator[Metric]:
    held = GaugeMetricFamily(
        "runsheet_table_bytes", "What the largest tables take on disk, with indexes.", labels=["table"]
    )
    dead = GaugeMetricFamily("runsheet_table_dead_rows", "Rows of those that are to be cleared away.", labels=["table"])
    for table in tables:
        held.add_metric([table.name], table.size_bytes)
        dead.add_metric([table.name], table.dead_rows)
    yield from (held, dead)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"runsheet_database_{name}", documentation, value=float(value))
