"""What PostgreSQL spends its time and its disk on."""

from collections.abc import Iterator

from django.conf import settings

from core.base.clock import now
from core.ops.doctor.finding import Finding, Mark, from_database, unseen
from core.ops.last_backup import LATE_AFTER, last_made_at
from core.ops.postgres import (
    Statement,
    Table,
    archiving,
    costliest_statements,
    largest_tables,
    logs_statements_over_ms,
)
from statemachine.log_months import standing

SHOWN = 5
# As much of a statement as tells it from others.
TEXT_AT_MOST = 160
# A request that waits for one such is felt.
SLOW_S = 1.0
# Autovacuum begins at a fifth; twice that is one that does not come, or may not clear away.
BLOATED, FEW_ROWS = 0.4, 100_000

NOT_COUNTED = (
    "Which statements are slow is not known. Set shared_preload_libraries = 'pg_stat_statements', restart PostgreSQL, and run "
    "in the database, as a superuser: CREATE EXTENSION pg_stat_statements"
)
NOT_LOGGED = "What was slow in one moment is not known afterwards. Set log_min_duration_statement = 1000 (ms)"
SLOW = "See its plan (EXPLAIN), and whether rows are to be cleared away. If it came with a new version, report it."
DEAD = (
    "Tables grow and statements become slow. See whether a transaction has been open for long (pg_stat_activity) and autovacuum "
    "is on; then run: VACUUM ANALYZE {table}"
)
NOT_ARCHIVED = (
    "Its log stays on its disk until that is full. PostgreSQL's log says what archive_command has answered: a disk that is full, "
    "a folder that is not there or not the user's, or the archive of another server"
)

NO_BACKUP = "What is lost with a disk comes back from nowhere. Run: python manage.py backup PLACE; see docs/backups.md"
BACKUP_OLD = "What was done since would be lost with the disk. See the log of what makes backups, or run: python manage.py backup PLACE"
NO_MONTH = (
    "Entries are taken all the same, into a part that grows slow. See the reconciler and the workers of the queue “{queue}”, whose "
    "log says why (“transition_log”): the user of DATABASE_URL must own the tables"
)
OVERDUE = (
    "It takes the room of all of them. See the workers of the queue “{queue}”, whose log says why (“transition_log”), or run: "
    "python manage.py trim_log"
)


def archive() -> Iterator[Finding]:
    """Whether the write-ahead log is archived, if it is to be."""
    found = from_database(archiving)
    if found is None:
        yield unseen("PostgreSQL")
        return
    last = f"the last file {found.last_at:%Y-%m-%d %H:%M:%S} UTC" if found.last_at else "nothing yet"
    if found.fails:
        yield Finding(Mark.WRONG, f"the log cannot be archived; {last}", NOT_ARCHIVED)
    elif found.is_on:
        yield Finding(Mark.OK, f"the log is archived; {last}")
    else:
        yield Finding(Mark.OK, "the log is not archived: the database can be restored to the moments of backups only")


def backups() -> Iterator[Finding]:
    """Whether there is one, and how old it is."""
    found = from_database(lambda: (last_made_at(), now()))
    if found is None:
        yield unseen("PostgreSQL")
        return
    made_at, at = found
    if made_at is None:
        yield Finding(Mark.NOTE, "none was ever made", NO_BACKUP)
        return
    seen = f"the last one is of {made_at:%Y-%m-%d %H:%M} UTC"
    is_old = at - made_at > LATE_AFTER
    yield Finding(Mark.NOTE, seen, BACKUP_OLD) if is_old else Finding(Mark.OK, seen)


def statements() -> Iterator[Finding]:
    """Which statements took most of the time, and whether slow ones are logged."""
    found = from_database(lambda: (costliest_statements(SHOWN), logs_statements_over_ms()))
    if found is None:
        yield unseen("PostgreSQL")
        return
    costliest, over_ms = found
    if costliest is None:
        yield Finding(Mark.NOTE, "pg_stat_statements is not there", NOT_COUNTED)
    yield from map(_of_statement, costliest or ())
    if over_ms < 0:
        yield Finding(Mark.NOTE, "slow ones are not logged", NOT_LOGGED)
    else:
        yield Finding(Mark.OK, f"those that take longer than {over_ms:,} ms stand in its log")


def tables() -> Iterator[Finding]:
    """The largest tables, and whether what is dead in them is cleared away."""
    found = from_database(lambda: largest_tables(SHOWN))
    if found is None:
        yield unseen("PostgreSQL")
        return
    yield from map(_of_table, found)


def history() -> Iterator[Finding]:
    """Whether the transition log has its months, and what is too old is let go of."""
    found = from_database(standing)
    if found is None:
        yield unseen("PostgreSQL")
        return
    queue, size = settings.LOG_QUEUE, f"{found.size_bytes / 1e6:,.1f} MB"
    if not found.ahead or found.has_strays:
        seen = "there is no part for the next month" if not found.ahead else "some entries are in no month's part"
        yield Finding(Mark.WRONG, seen, NO_MONTH.format(queue=queue))
    if len(found.overdue) > 1:
        yield Finding(Mark.NOTE, f"{len(found.overdue)} old months are still whole", OVERDUE.format(queue=queue))
    since = f"whole since {found.months[0]:%Y-%m}" if found.months else "of no month"
    yield Finding(Mark.OK, f"{size}, {since}; of what is older, the last entries of each record")


def _of_statement(each: Statement) -> Finding:
    text = each.text if len(each.text) <= TEXT_AT_MOST else f"{each.text[:TEXT_AT_MOST].rstrip()} …"
    times = f"{each.calls:,} time{'' if each.calls == 1 else 's'}"
    seen = f"{each.share:.0%} of the time, {each.mean_s * 1000:,.1f} ms on average, {times}: {text}"
    return Finding(Mark.NOTE, seen, SLOW) if each.mean_s >= SLOW_S else Finding(Mark.OK, seen)


def _of_table(each: Table) -> Finding:
    size = f"{each.size_bytes / 1e6:,.1f} MB"
    seen = f"{each.name}: {size}, {each.live_rows:,} rows, {each.dead_rows:,} to be cleared away"
    is_bloated = each.dead_rows > max(FEW_ROWS, BLOATED * each.live_rows)
    return Finding(Mark.NOTE, seen, DEAD.format(table=each.name)) if is_bloated else Finding(Mark.OK, seen)
