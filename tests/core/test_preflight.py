"""What migrations lock is said before they are made."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import connection, migrations, transaction

from core import preflight
from core.local.processes import child_environment
from core.local.servers import ServerUrls
from core.local.spare import spare_database
from core.management.commands import preflight as preflight_command
from core.preflight import Hold, Rehearsed, Watch
from tests.core.backups.conftest import command
from tests.forking import Forks
from tests.pooler import itself

BIG = "big_one"
SIZE = (1_000_000, 400_000_000)


@pytest.fixture
def watched(transactional_db: None) -> Iterator[Callable[..., Rehearsed]]:
    """Runs statements as a migration, in a database that has a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {BIG} (id bigint PRIMARY KEY, name text, number int)")

        def run(*statements: str, operations: tuple[Any, ...] = (), atomic: bool = True) -> Rehearsed:
            migration = type("Migration", (migrations.Migration,), {"operations": operations, "atomic": atomic})
            together = transaction.atomic() if atomic else nullcontext()
            with Watch(migration("0002_next", "leases")) as watch, together:
                for each in statements:
                    cursor.execute(each)
            return watch.found

        yield run
        cursor.execute(f"DROP TABLE IF EXISTS small, {BIG}")


def beside_ours(url: str) -> None:
    """What no copy can have: it needs what is not ours."""
    with psycopg.connect(url, autocommit=True) as others:
        others.execute("CREATE SCHEMA watching")
        others.execute("CREATE FUNCTION information_schema.seen() RETURNS int RETURN 1")
        others.execute("CREATE VIEW watching.readings AS SELECT information_schema.seen()")


def held(found: Rehearsed) -> list[Hold]:
    return list(preflight._holds(found, {BIG: SIZE}))


class TestWatch:
    @pytest.mark.parametrize(
        ("statement", "effect", "least_s", "most_s"),
        [
            (f"ALTER TABLE {BIG} ADD COLUMN other text", "nobody reads or writes", 0, 0.5),
            (f"ALTER TABLE {BIG} ADD COLUMN other text DEFAULT '' NOT NULL", "nobody reads or writes", 0, 0.5),
            (f"ALTER TABLE {BIG} ADD COLUMN other float8 DEFAULT random()", "nobody reads or writes", 13, 14),
            (f"ALTER TABLE {BIG} ALTER COLUMN number TYPE bigint", "nobody reads or writes", 13, 14),
            (f"ALTER TABLE {BIG} ALTER COLUMN name SET NOT NULL", "nobody reads or writes", 2, 2.5),
            (f"ALTER TABLE {BIG} ADD CONSTRAINT c CHECK (number > 0)", "nobody reads or writes", 2, 2.5),
            (f"ALTER TABLE {BIG} ADD CONSTRAINT c CHECK (number > 0) NOT VALID", "nobody reads or writes", 0, 0.5),
            (f"ALTER TABLE {BIG} ADD CONSTRAINT c UNIQUE (number)", "nobody reads or writes", 13, 14),
            (f"CREATE INDEX i ON {BIG} (name)", "nobody writes", 13, 14),
            (f'CREATE UNIQUE INDEX "i" ON "{BIG}" ("name")', "nobody writes", 13, 14),
            (f"CREATE TABLE small (big_id bigint REFERENCES {BIG})", "nobody writes", 0, 0.5),
        ],
    )
    def test_tells_what_is_locked_for_whom_and_how_long(
        self, watched: Callable[..., Rehearsed], statement: str, effect: str, least_s: float, most_s: float
    ) -> None:
        (hold,) = held(watched(statement))

        assert (hold.table, hold.effect, hold.rows, hold.size_bytes) == (BIG, effect, *SIZE)
        assert least_s <= hold.seconds < most_s
        assert hold.is_felt == (least_s > 1)

    @pytest.mark.parametrize(
        "statement", [f"SELECT * FROM {BIG}", f"UPDATE {BIG} SET number = 1", "CREATE TABLE small (id int)"]
    )
    def test_tells_nothing_of_what_keeps_nobody_out(self, watched: Callable[..., Rehearsed], statement: str) -> None:
        assert held(watched(statement)) == []

    def test_what_is_locked_stays_so_until_the_end_of_the_migration(self, watched: Callable[..., Rehearsed]) -> None:
        locked, indexed = f"ALTER TABLE {BIG} ADD COLUMN other text", f"CREATE INDEX i ON {BIG} (name)"

        (whole,) = held(watched(locked, indexed))
        assert (whole.statement, whole.effect) == (locked, "nobody reads or writes")
        assert whole.seconds >= 13

    def test_what_is_no_transaction_ends_with_each_statement(self, watched: Callable[..., Rehearsed]) -> None:
        first, second = held(
            watched(f"ALTER TABLE {BIG} ADD COLUMN other text", f"CREATE INDEX i ON {BIG} (name)", atomic=False)
        )

        assert first.seconds < 1 < second.seconds

    def test_a_table_is_called_as_it_was_before(self, watched: Callable[..., Rehearsed]) -> None:
        (hold,) = held(watched(f"ALTER TABLE {BIG} RENAME TO small", "CREATE INDEX i ON small (name)"))

        assert hold.table == BIG
        assert hold.seconds >= 13

    @pytest.mark.parametrize("constraint", ["PRIMARY KEY", "UNIQUE"])
    def test_an_index_that_is_there_is_not_made_anew(self, watched: Callable[..., Rehearsed], constraint: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {BIG} DROP CONSTRAINT {BIG}_pkey")
            cursor.execute(f"CREATE UNIQUE INDEX i ON {BIG} (id)")

        (hold,) = held(watched(f"ALTER TABLE {BIG} ADD {constraint} USING INDEX i"))

        # Of no column that may be empty, which PostgreSQL would have to look for.
        assert hold.seconds < 1

    def test_a_table_in_parts_is_as_large_as_they_are(self, transactional_db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(preflight.SIZES)
            sizes = {name: size for name, _, size in cursor.fetchall()}

        parts = [size for name, size in sizes.items() if name.startswith("statemachine_log_")]
        assert sizes["statemachine_transitionlog"] == sum(parts) > 0

    def test_tells_where_python_changes_rows(self, watched: Callable[..., Rehearsed]) -> None:
        fills_in = migrations.RunPython(lambda _apps, _editor: None, migrations.RunPython.noop)
        nothing = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)

        assert watched(operations=(fills_in,)).runs_python
        assert not watched(operations=(nothing,)).runs_python


@pytest.mark.django_db
class TestNothingThere:
    def test_says_what_to_run(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE django_migrations RENAME TO elsewhere")

        ended = command("preflight")
        said = command("preflight", "--json").said

        assert (ended.code, ended.errors) == (0, "")
        assert ended.out.endswith("no tables of Runsheet yet, so nobody waits. Run: python manage.py migrate\n")
        assert (said["migrations"], said["locks"]) == ([], [])


@itself
@pytest.mark.process
@pytest.mark.django_db(transaction=True)
class TestCommand:
    def test_says_what_is_still_to_be_made(self, prepared: Forks, settings: Any) -> None:
        with spare_database(os.environ["DATABASE_URL"], purpose="before") as before:
            environment = child_environment(ServerUrls(database_url=before, redis_url=settings.REDIS_URL))

            def manage(*given: str) -> Any:
                return prepared.run("python", "manage.py", *given, environment=environment)

            for target in ((), ("discovery", "zero")):
                assert manage("migrate", "--verbosity", "0", *target).returncode == 0
            beside_ours(before)
            done = manage("preflight")
            said = json.loads(manage("preflight", "--json").stdout)
            migrated = manage("showmigrations", "discovery", "--plan").stdout

        assert (done.returncode, done.stderr) == (0, "")
        assert "✓ storage_storageroot (" in done.stdout
        assert done.stdout.endswith("Nobody waits for longer than 1 s.\n")
        assert said["migrations"] == ["discovery.0001_initial"]
        assert {each["effect"] for each in said["locks"]} == {"nobody writes"}
        assert "[X]  discovery" not in migrated

    def test_says_that_nothing_is(self) -> None:
        ended = command("preflight")

        assert (ended.code, ended.out) == (0, "No migration is still to be made.\n")

    @pytest.mark.parametrize(
        ("server", "words"),
        [
            ("postgresql://u:sekret@127.0.0.1:1/x", "No empty copy can be made: connection failed"),
            ("postgres//u:sekret@127.0.0.1/x", "has to be an address such as"),
        ],
    )
    def test_says_why_there_can_be_no_copy_and_repeats_no_password(self, server: str, words: str) -> None:
        ended = command("preflight", "--server", server)

        assert ended.code == 3
        assert words in ended.errors
        assert "sekret" not in ended.errors
        assert "embedded" not in ended.errors

    def test_takes_the_password_of_the_server_from_a_file(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "password").write_text("p@ss\n")
        monkeypatch.setenv("PREFLIGHT_PASSWORD_FILE", str(tmp_path / "password"))
        asked = Mock(return_value=[])
        monkeypatch.setattr(preflight_command, "rehearsed_in_copy", asked)

        assert command("preflight", "--server", "postgresql://admin@127.0.0.1:5432/postgres").code == 0
        asked.assert_called_once_with("postgresql://admin:p%40ss@127.0.0.1:5432/postgres")
        ended = command("preflight", "--server", "postgresql://admin:p@127.0.0.1:5432/postgres")
        assert (ended.code, ended.errors) == (
            3, "--server holds a password, and PREFLIGHT_PASSWORD is set; only one of them can be meant.\n"
        )  # fmt: skip

    def test_says_that_the_user_may_make_no_copy_and_what_helps(self) -> None:
        where = os.environ["DATABASE_URL"].removeprefix("postgresql://").rpartition("@")[2]
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE copyless LOGIN")
            try:
                ended = command("preflight", "--server", f"postgresql://copyless@{where}")
            finally:
                cursor.execute("DROP ROLE copyless")

        assert ended.code == 3
        assert "made: permission denied to create database. Name a server and a user who may" in ended.errors
        assert "--server postgresql://admin@127.0.0.1:5432/postgres." in ended.errors

    def test_makes_no_migration_but_in_a_copy(self) -> None:
        ended = command("preflight", "--rehearse")

        assert (ended.code, ended.out) == (3, "")
        assert "Leave it out" in ended.errors

    def test_a_pooler_is_refused(self, settings: Any) -> None:
        settings.DATABASE_IS_POOLED = True

        ended = command("preflight")

        assert ended.code == 3
        assert "Name PostgreSQL itself in DATABASE_URL, and leave DATABASE_POOLER out" in ended.errors
