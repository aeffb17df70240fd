"""What migrations that are still to be made will lock, and for how long: they are made in an empty copy of the database, which is looked at.

What is locked is read from PostgreSQL, statement by statement. How long it takes to read or to rewrite a table is reckoned from
its size. What Python does with rows is not known, since the copy has none.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any, Self

from django.db import connection, transaction
from django.db.migrations import Migration, RunPython
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg.conninfo import conninfo_to_dict

from core.backups.postgres import major_of, programs, reaching, require_itself, server_version
from core.backups.snapshot import SCHEMA
from core.backups.streams import piped
from core.base.errors import Refused
from core.local.servers import ROOT
from core.local.spare import NoSpareServer, spare_database

REHEARSE = "--rehearse"
PURPOSE = "preflight"
# Nobody should wait for longer.
FELT_S = 1.0
# Bytes of a table in a second, cautiously: read through, and written anew or sorted into an index.
READ_PER_S, WRITTEN_PER_S = 200e6, 30e6
# What keeps others waiting; the later, the more.
KEEPS_OUT = {
    "ShareLock": "nobody writes",
    "ShareRowExclusiveLock": "nobody writes",
    "ExclusiveLock": "nobody writes",
    "AccessExclusiveLock": "nobody reads or writes",
}
HELD = """
SELECT lock.relation, lock.mode FROM pg_locks lock
WHERE lock.pid = pg_backend_pid() AND lock.granted AND lock.mode = ANY(%s)
"""
FILES = """
SELECT oid, relname, relfilenode FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
"""
# A table in parts has the size of all of them.
SIZES = """
WITH sizes AS (
    SELECT relid, relname, n_live_tup AS rows, pg_table_size(relid) AS size
    FROM pg_stat_user_tables WHERE schemaname = current_schema()
)
SELECT relname, rows, size FROM sizes
UNION ALL
SELECT root.relname, sum(rows)::bigint, sum(size)::bigint
FROM sizes JOIN pg_class root ON root.oid = pg_partition_root(relid) WHERE root.oid <> relid GROUP BY root.oid, root.relname
"""
# What goes through a whole table. An index that is made CONCURRENTLY lets others go on meanwhile.
READS = re.compile(
    r"(?i)\bVALIDATE CONSTRAINT\b|\bSET NOT NULL\b|^\s*(UPDATE|DELETE)\b|\bADD CONSTRAINT\b(?!.*\bNOT VALID\b|.*\bUSING INDEX\b)"
)
SORTS = re.compile(
    r"(?i)^\s*CREATE (UNIQUE )?INDEX\b|\bADD (CONSTRAINT \S+ )?(UNIQUE|EXCLUDE|PRIMARY KEY)\b(?!\s+USING\s+INDEX\b)"
)
LONE = re.compile(r"(?i)\bCONCURRENTLY\b|^\s*VACUUM\b")
NAMED = re.compile(r'(?i)\b(?:TABLE|ON|UPDATE|DELETE FROM)\s+(?:ONLY\s+)?"?(\w+)"?')


class PreflightRefused(Refused):
    """It cannot be rehearsed here."""

    code = "preflight_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A statement.

    Attributes:
        took_s: in the empty copy.
        table: that was there before, and through which it goes.
        work: "", "reads" or "writes": what it does with all of that table.
        locks: what it has locked that was there before, by table, in PostgreSQL's words.
    """

    statement: str
    took_s: float
    table: str
    work: str
    locks: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Rehearsed:
    """A migration, as it went in the empty copy.

    Attributes:
        is_atomic: all of it is one transaction, so that what is locked stays so until its end.
        runs_python: what that takes is not known.
    """

    name: str
    is_atomic: bool
    runs_python: bool
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A table that a migration keeps others from.

    Attributes:
        effect: for whom.
        seconds: for how long, about.
    """

    migration: str
    table: str
    effect: str
    statement: str
    rows: int
    size_bytes: int
    seconds: float

    @property
    def is_felt(self) -> bool:
        return self.seconds > FELT_S


# --- In the copy ----------------------------------------------------------------------------------------------------


def rehearse() -> Iterator[Rehearsed]:
    """Make all migrations that are still to be made, in the database of this process, which has to be a copy.

    Raises:
        PreflightRefused: it is none.
    """
    if not connection.settings_dict["NAME"].startswith(f"runsheet_{PURPOSE}_"):
        raise PreflightRefused(
            f"{REHEARSE} makes the migrations, and is for the copy that “preflight” makes for itself. Leave it out; to make them here: "
            "“migrate”."
        )
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)  # type: ignore[attr-defined]  # noqa: SLF001 - as `migrate` does
    for migration, _ in plan:
        with Watch(migration) as watch:
            state = executor.apply_migration(state, migration)
        yield watch.found


class Watch:
    """Looks after each statement of a migration at what it has locked and rewritten."""

    def __init__(self, migration: Migration) -> None:
        runs_python = any(
            isinstance(each, RunPython) and each.code is not RunPython.noop for each in migration.operations
        )
        self.found = Rehearsed(
            name=f"{migration.app_label}.{migration.name}", is_atomic=migration.atomic, runs_python=runs_python
        )
        self._looks = False

    def __enter__(self) -> Self:
        files = self._files()
        # A table is told by its number, and called as it was called before.
        self._names = {oid: name for oid, (name, _) in files.items()}
        self._before = {oid: file for oid, (_, file) in files.items()}
        self._wrapper = connection.execute_wrapper(self._around)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._wrapper.__exit__(None, None, None)

    def _around(self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        if self._looks:
            return execute(sql, params, many, context)
        text = str(sql)
        if connection.in_atomic_block or LONE.search(text):
            return self._executed(lambda: execute(sql, params, many, context), text)
        with transaction.atomic():  # or its locks were gone before anybody could look
            return self._executed(lambda: execute(sql, params, many, context), text)

    def _executed(self, execute: Callable[[], Any], text: str) -> Any:
        began = monotonic()
        result = execute()
        took_s = monotonic() - began
        locks = {} if LONE.search(text) else self._locks()
        table, work = self._work(text, set(locks))
        if locks or work:
            statement = re.sub(r"\s+", " ", text).strip()
            named = {self._names[oid]: mode for oid, mode in locks.items()}
            self.found.steps.append(Step(statement=statement, took_s=took_s, table=table, work=work, locks=named))
        return result

    def _work(self, text: str, locked: set[int]) -> tuple[str, str]:
        files = self._files()
        for oid in sorted(locked & set(files)):
            if files[oid][1] != self._before[oid]:
                self._before[oid] = files[oid][1]
                return self._names[oid], "writes"
        named = NAMED.search(text)
        table = next((self._names.get(oid, "") for oid, (name, _) in files.items() if named and name == named[1]), "")
        if not table or LONE.search(text):
            return "", ""
        if SORTS.search(text):
            return table, "writes"
        return (table, "reads") if READS.search(text) else ("", "")

    def _locks(self) -> dict[int, str]:
        """The strongest on each table that was there before, by its number."""
        order = list(KEEPS_OUT)
        found: dict[int, str] = {}
        for oid, mode in self._ask(HELD, [order]):
            if oid in self._before and (oid not in found or order.index(mode) > order.index(found[oid])):
                found[oid] = mode
        return found

    def _files(self) -> dict[int, tuple[str, int]]:
        return {oid: (name, file) for oid, name, file in self._ask(FILES)}

    def _ask(self, sql: str, given: Sequence[Any] | None = None) -> list[Any]:
        self._looks = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, given)
                return list(cursor.fetchall())
        finally:
            self._looks = False


# --- Of the database itself -----------------------------------------------------------------------------------------


def is_migrated() -> bool:
    """Whether there are tables of ours; what makes the first ones keeps nobody waiting."""
    return MigrationRecorder(connection).has_table()


def rehearsed_in_copy(server: str) -> list[Rehearsed]:
    """What a process says that makes them in an empty copy of our database, on a server where one may be made.

    Args:
        server: the address of any database of it.

    Raises:
        BackupRefused, BackupBroken: no copy can be made, or a pooler stands between.
        PreflightRefused: the same, or a migration fails even in an empty copy; with its own words.
    """
    require_itself()
    with _spare(server) as copy:
        _copy_schema(copy)
        others = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        environment = {**others, "DATABASE_URL": copy}
        command = [sys.executable, str(ROOT / "manage.py"), "preflight", REHEARSE]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    if done.returncode:
        raise PreflightRefused(f"A migration fails in an empty copy of the database already: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    return [Rehearsed(**{**each, "steps": [Step(**step) for step in each["steps"]]}) for each in told]


@contextmanager
def _spare(server: str) -> Iterator[str]:
    if not server.startswith(("postgresql://", "postgres://")):
        raise PreflightRefused("--server has to be an address such as postgresql://admin@127.0.0.1:5432/postgres.")
    try:
        with spare_database(server, purpose=PURPOSE) as copy:
            yield copy
    except NoSpareServer as error:
        reason = str(error.__cause__).partition("\n")[0]
        raise PreflightRefused(
            f"No empty copy can be made: {reason}. Name a server and a user who may create databases there, such as by --server "
            "postgresql://admin@127.0.0.1:5432/postgres."
        ) from error


def as_json(found: Iterator[Rehearsed]) -> str:
    """What `rehearsed_in_copy` reads."""
    return json.dumps([asdict(each) for each in found])


def _copy_schema(copy: str) -> None:
    """Our tables as they are, and which migrations have made them; what others have in the database is no matter."""
    tools = programs(least=major_of(server_version()))
    own = [f"--schema={SCHEMA}", "--no-owner", "--no-privileges", "--no-password"]
    parts = (["--schema-only"], ["--data-only", "--table=django_migrations"])
    with reaching() as here, reaching(conninfo_to_dict(copy)) as there:
        for part in parts:
            text = b"".join(piped([tools["pg_dump"], *own, *part], environment=here)).decode()
            plain = re.sub(r"(?m)^(CREATE|COMMENT ON) (EXTENSION|SCHEMA) .*$", "", text)
            into = [tools["psql"], "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
            list(piped(into, [plain.encode()], environment=there))


def holds(found: Sequence[Rehearsed]) -> list[Hold]:
    """What each migration keeps others from, with the sizes of our own tables."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES)
        sizes = {name: (rows, size) for name, rows, size in cursor.fetchall()}
    return [hold for each in found for hold in _holds(each, sizes)]


def _holds(migration: Rehearsed, sizes: Mapping[str, tuple[int, int]]) -> Iterator[Hold]:
    costs = [_seconds(step, sizes) for step in migration.steps]
    told: dict[str, int] = {}
    for number, step in enumerate(migration.steps):
        until = len(costs) if migration.is_atomic else number + 1
        for table, mode in step.locks.items():
            rank = list(KEEPS_OUT).index(mode)
            if migration.is_atomic and told.get(table, -1) >= rank:
                continue
            told[table] = rank
            rows, size = sizes.get(table, (0, 0))
            yield Hold(
                migration=migration.name,
                table=table,
                effect=KEEPS_OUT[mode],
                statement=step.statement,
                rows=rows,
                size_bytes=size,
                seconds=sum(costs[number:until]),
            )


def _seconds(step: Step, sizes: Mapping[str, tuple[int, int]]) -> float:
    _rows, size = sizes.get(step.table, (0, 0))
    pace = {"": float("inf"), "reads": READ_PER_S, "writes": WRITTEN_PER_S}[step.work]
    return step.took_s + size / pace
