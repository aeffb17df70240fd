"""What PostgreSQL tells of itself: how full and how busy it is. A few statements, however much lies in it."""

from collections.abc import Iterator

from django.db import Error, connection
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

LARGEST_TABLES = 12

# Of sessions that are another role's, a role without the right to see them is told no more than that they are there.
ITSELF = """
SELECT pg_database_size(current_database()),
    count(*) FILTER (WHERE backend_type IS NULL OR backend_type = 'client backend'),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    COALESCE(EXTRACT(epoch FROM max(clock_timestamp() - xact_start)
        FILTER (WHERE datname = current_database() AND pid <> pg_backend_pid())), 0)
FROM pg_stat_activity
"""
TABLES = """
SELECT relname, pg_total_relation_size(relid) AS bytes, n_dead_tup
FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY bytes DESC, relname LIMIT %s
"""


class PostgresCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(ITSELF)
                size, used, most, oldest_s = cursor.fetchone()
                cursor.execute(TABLES, [LARGEST_TABLES])
                tables = cursor.fetchall()
        except Error:
            return
        yield _gauge("bytes", "What the database takes on disk.", size)
        yield _gauge("connections", "Connections to the server, to all of its databases.", used)
        yield _gauge("connections_at_most", "How many connections the server takes from others than superusers.", most)
        yield _gauge("oldest_transaction_seconds", "How long the oldest transaction of others has been open.", oldest_s)
        held = GaugeMetricFamily(
            "runsheet_table_bytes", "What the largest tables take on disk, with indexes.", labels=["table"]
        )
        dead = GaugeMetricFamily(
            "runsheet_table_dead_rows", "Rows of those that are to be cleared away.", labels=["table"]
        )
        for table, table_bytes, dead_rows in tables:
            held.add_metric([table], table_bytes)
            dead.add_metric([table], dead_rows)
        yield from (held, dead)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"runsheet_database_{name}", documentation, value=float(value))
