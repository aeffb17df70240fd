"""What the doctor says of what PostgreSQL spends its time and its disk on.

The servers of the tests have no pg_stat_statements: where it is there, it is a table of the test's own with that name.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from core.base.clock import now
from core.ops import last_backup
from core.ops import postgres as figures
from core.ops.doctor import postgres
from core.ops.doctor.finding import Finding, Mark
from core.ops.postgres import Table
from statemachine.log_months import LogStanding

pytestmark = pytest.mark.django_db(transaction=True)


def do(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def counted() -> Iterator[None]:
    """As the extension shows it, with what nobody is to see of it, too."""
    do(
        "CREATE TABLE pg_stat_statements "
        "(dbid oid, query text, calls bigint, mean_exec_time float8, total_exec_time float8)",
        "INSERT INTO pg_stat_statements SELECT oid, query, calls, mean, calls * mean FROM pg_database, (VALUES"
        " (E'SELECT *\\n  FROM leases_lease', 10::bigint, 5::float8), ('UPDATE leases_lease SET due_at = $1', 2, 3000),"
        " ('ALTER ROLE runsheet PASSWORD ''hunter2''', 1, 9000), ('SELECT ' || repeat('a, ', 99), 1, 0.5)"
        ") AS asked (query, calls, mean) WHERE datname = current_database()",
        "INSERT INTO pg_stat_statements VALUES (0, 'SELECT elsewhere', 1, 9000, 9000)",
    )
    yield
    do("DROP TABLE pg_stat_statements")


@pytest.fixture
def not_loaded() -> Iterator[None]:
    """As an extension answers that was not there when the server started."""
    do(
        "CREATE FUNCTION refuse() RETURNS float8 LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE object_not_in_prerequisite_state; END $$",
        "CREATE VIEW pg_stat_statements AS SELECT oid AS dbid, 'SELECT'::text AS query, 1::bigint AS calls,"
        " refuse() AS mean_exec_time, refuse() AS total_exec_time FROM pg_database",
    )
    yield
    do("DROP VIEW pg_stat_statements", "DROP FUNCTION refuse")


class TestStatements:
    def test_are_not_known_without_the_extension(self) -> None:
        first, _ = postgres.statements()

        assert (first.mark, first.seen) == (Mark.NOTE, "pg_stat_statements is not there")
        assert "CREATE EXTENSION" in first.advice

    def test_are_not_known_where_it_was_not_loaded(self, not_loaded: None) -> None:
        assert figures.costliest_statements(5) is None

    def test_are_told_by_their_share_of_the_time(self, counted: None) -> None:
        slow, quick, long, _ = postgres.statements()

        text = "99% of the time, 3,000.0 ms on average, 2 times: UPDATE leases_lease SET due_at = $1"
        assert slow == Finding(Mark.NOTE, text, postgres.SLOW)
        assert quick == Finding(Mark.OK, "1% of the time, 5.0 ms on average, 10 times: SELECT * FROM leases_lease")
        assert long.seen.endswith("a, a, …")

    def test_of_another_database_and_such_as_may_name_a_password_are_not(self, counted: None) -> None:
        told = " ".join(each.seen for each in postgres.statements())

        assert "hunter2" not in told
        assert "elsewhere" not in told

    @pytest.mark.parametrize(
        ("over_ms", "told"),
        [
            (1000, Finding(Mark.OK, "those that take longer than 1,000 ms stand in its log")),
            (-1, Finding(Mark.NOTE, "slow ones are not logged", postgres.NOT_LOGGED)),
        ],
    )
    def test_say_whether_slow_ones_are_logged(
        self, over_ms: int, told: Finding, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "logs_statements_over_ms", lambda: over_ms)

        assert list(postgres.statements())[-1] == told

    def test_that_are_logged_are_asked_of_the_server(self) -> None:
        do("SET log_min_duration_statement = 250")

        over_ms = figures.logs_statements_over_ms()
        do("RESET log_min_duration_statement")

        assert over_ms == 250


class TestTables:
    def test_are_the_largest(self) -> None:
        found = list(postgres.tables())

        assert [each.mark for each in found] == [Mark.OK] * postgres.SHOWN
        assert " MB, " in found[0].seen

    def test_that_are_full_of_dead_rows_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        full = Table(name="leases_lease", size_bytes=5_000_000, live_rows=1_000_000, dead_rows=500_000)
        monkeypatch.setattr(postgres, "largest_tables", lambda _: [full])

        (found,) = postgres.tables()

        assert found.seen == "leases_lease: 5.0 MB, 1,000,000 rows, 500,000 to be cleared away"
        assert found.mark == Mark.NOTE
        assert "VACUUM ANALYZE leases_lease" in found.advice


class TestBackups:
    def test_are_missed_where_none_was_ever_made(self) -> None:
        (found,) = postgres.backups()

        assert (found.mark, found.seen) == (Mark.NOTE, "none was ever made")
        assert "python manage.py backup PLACE" in found.advice

    @pytest.mark.parametrize(("hours", "mark"), [(1, Mark.OK), (29, Mark.OK), (31, Mark.NOTE)])
    def test_are_told_by_their_age(self, hours: int, mark: Mark) -> None:
        made_at = now() - timedelta(hours=hours)
        last_backup.note("20260101-000000", made_at=now() - timedelta(days=9))
        last_backup.note("20260102-000000", made_at=made_at)

        (found,) = postgres.backups()

        assert (found.mark, found.seen) == (mark, f"the last one is of {made_at:%Y-%m-%d %H:%M} UTC")


class TestHistory:
    def test_is_well_once_its_months_are_made(self) -> None:
        (found,) = postgres.history()

        assert found.mark == Mark.OK
        assert f"whole since {datetime.now(UTC):%Y-%m}" in found.seen

    def test_tells_that_months_are_missing_or_still_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        standing = LogStanding(
            size_bytes=5_000_000,
            months=[date(2020, 1, 1), date(2020, 2, 1)],
            ahead=0,
            overdue=[date(2020, 1, 1), date(2020, 2, 1)],
            has_strays=True,
        )
        monkeypatch.setattr(postgres, "standing", lambda: standing)

        missing, old, well = postgres.history()

        assert (missing.mark, missing.seen) == (Mark.WRONG, "there is no part for the next month")
        assert "must own the tables" in missing.advice
        assert (old.mark, old.seen) == (Mark.NOTE, "2 old months are still whole")
        assert well.seen.startswith("5.0 MB, whole since 2020-01")
