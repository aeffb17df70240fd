"""The parts of the transition log: one for each month, made ahead; and one of what is kept of the months before.

So the log of years is as quick as that of a year, and no larger than it has to be: of what is older than
`TRANSITION_LOG_MONTHS`, each record keeps its last `TRANSITION_LOG_ENTRIES` entries, and the last one of each kind, which is
what the console and the machines ask for. All of it is done piece by piece; whoever begins again goes on where another was
broken off.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from statemachine.duties import duty
from statemachine.models import TransitionLog

logger = logging.getLogger(__name__)

LOG = TransitionLog._meta.db_table
KEPT, DEFAULT, MONTH = "statemachine_log_kept", "statemachine_log_default", "statemachine_log_"
# The column by which PostgreSQL parts the log, which it fills in itself; the date is that of what is kept.
COLUMN, KEPT_MONTH = "month", date(1970, 1, 1)
MONTHS_AHEAD = 2
TENDED_EVERY_S = 3_600
# The next time goes on with the rest.
TENDS_FOR_S = 30
RECORDS_AT_ONCE = 500
# Everybody who takes a transition waits behind who waits for this lock.
LOCK_S = 2
TRIMS = "SET LOCAL statemachine.trims_log = 'yes'"

THIS_MONTH = "SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date"
PARTS = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass) ORDER BY relname
"""
# Those that the table has, of which a later version may have more.
COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> %s ORDER BY attnum
"""
# The records of a part, from one on.
RECORDS = """
SELECT DISTINCT record_type, record_id FROM {part} WHERE (record_type, record_id) > (%s, %s)
ORDER BY record_type, record_id LIMIT %s
"""
MOVE = """
WITH gone AS (DELETE FROM {part} WHERE record_type = %s AND record_id = ANY(%s) RETURNING *)
INSERT INTO {kept} ({columns}, month) SELECT {columns}, %s FROM gone
"""
# Alike is what took the same transition, and whose evidence has the same to say of what the machine names.
TRIM = """
DELETE FROM {kept} WHERE id IN (
    SELECT id FROM (
        SELECT id,
            row_number() OVER (PARTITION BY record_id ORDER BY generation DESC) AS nth,
            row_number() OVER (
                PARTITION BY record_id, transition, ARRAY(SELECT upper(evidence ->> key) FROM unnest(%s::text[]) AS key)
                ORDER BY generation DESC
            ) AS nth_alike
        FROM {kept} WHERE record_type = %s AND record_id = ANY(%s) AND at < %s
    ) AS entry
    WHERE nth > %s AND nth_alike > 1
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStanding:
    """How the log stands.

    Attributes:
        size_bytes: of all parts, with their indexes.
        months: those that have a part, the oldest first.
        ahead: how many of them are to come.
        overdue: those that are older than is kept whole.
        has_strays: whether there are entries of a month that had no part when it came.
    """

    size_bytes: int
    months: list[date]
    ahead: int
    overdue: list[date]
    has_strays: bool


@duty(name="transition_log", queue=settings.LOG_QUEUE, every_s=lambda: TENDED_EVERY_S)
def tend() -> None:
    """Make the months to come, and let go of what of the old ones is not kept, for as long as others can wait."""
    make_ahead()
    until = monotonic() + TENDS_FOR_S
    trim_months(is_time_up=lambda: monotonic() > until)


def standing() -> LogStanding:
    """How the log stands, by a few statements."""
    today, oldest = this_month(), oldest_whole()
    months = _months()
    return LogStanding(
        size_bytes=sum(_parts().values()),
        months=months,
        ahead=sum(each > today for each in months),
        overdue=[each for each in months if oldest and each < oldest],
        has_strays=_is_filled(DEFAULT),
    )


def this_month() -> date:
    """Its first day, by the database's clock."""
    found: date = _rows(THIS_MONTH)[0][0]
    return found


def oldest_whole(*, at: date | None = None) -> date | None:
    """The first day of the oldest month of which everything is kept; None: of each.

    Args:
        at: some day of this month; None: the database is asked.
    """
    months = settings.TRANSITION_LOG_MONTHS
    return _later(at or this_month(), -months) if months else None


# --- Months to come -------------------------------------------------------------------------------------------------


def make_ahead() -> list[date]:
    """Make the parts of this month and the next ones, and put strays where they belong; which months were made.

    Raises:
        django.db.OperationalError: the log was in use for all the time that others can wait; nothing was changed.
    """
    today = this_month()
    wanted = {_later(today, number) for number in range(MONTHS_AHEAD + 1)}
    if wanted <= set(_months()) and not _is_filled(DEFAULT):
        return []
    with transaction.atomic():
        _lock()
        # A month cannot be made while the part of strays may hold entries of it.
        _run("ALTER TABLE {log} DETACH PARTITION {default}")
        strays = {month for (month,) in _rows(_named("SELECT DISTINCT month FROM {default}"))}
        made = sorted((wanted | strays) - set(_months()))
        for month in made:
            _make(month)
        _run("INSERT INTO {log} SELECT * FROM {default}")
        _run("TRUNCATE {default}")
        _run("ALTER TABLE {log} ATTACH PARTITION {default} DEFAULT")
    logger.info("transition log: made %s", ", ".join(map(_name_of, made)) or "no month, but put strays in theirs")
    return made


def _make(month: date) -> None:
    first, following = sql.Literal(month), sql.Literal(_later(month, 1))
    statement = "CREATE TABLE {part} PARTITION OF {log} FOR VALUES FROM ({first}) TO ({following})"
    _run(statement, part=_name_of(month), first=first, following=following)


# --- Months that are over -------------------------------------------------------------------------------------------


def trim_months(*, is_time_up: Callable[[], bool] = lambda: False) -> int:
    """Put what is kept of old months into its part, and drop theirs; how many entries were let go of."""
    count = 0
    for month in standing().overdue:
        for deleted in _trimmed(_name_of(month)):
            count += deleted
            if is_time_up():
                return count
        _drop(month)
    return count


def trim_kept() -> int:
    """Look through all that is kept of old months, as may be due when less is to be kept; how many entries were let go of."""
    return sum(_trimmed(KEPT)) if settings.TRANSITION_LOG_MONTHS else 0


def _trimmed(part: str) -> Iterator[int]:
    """Piece by piece, each in a transaction of its own: how many entries were let go of."""
    last: tuple[str, int] | None = ("", 0)
    while last:
        last, deleted = _trim_piece(part, after=last)
        yield deleted


def _trim_piece(part: str, *, after: tuple[str, int]) -> tuple[tuple[str, int] | None, int]:
    """Put the entries of the next records among what is kept, and let go of what is not; which was the last, if any was."""
    with _alone():
        records = _rows(_named(RECORDS, part=part), [*after, RECORDS_AT_ONCE]) if part in _parts() else []
        _run(TRIMS)
        deleted = sum(
            _trim_records(part, record_type, [pk for each, pk in records if each == record_type])
            for record_type in sorted({each for each, _ in records})
        )
    return (records[-1] if records else None), deleted


def _trim_records(part: str, record_type: str, pks: list[int]) -> int:
    if part != KEPT:
        columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in _rows(COLUMNS, [LOG, COLUMN]))
        _run(MOVE, [record_type, pks, KEPT_MONTH], part=part, columns=columns)
    kept = [_told_apart_by(record_type), record_type, pks, oldest_whole(), settings.TRANSITION_LOG_ENTRIES]
    return _run(TRIM, kept)


def _told_apart_by(record_type: str) -> list[str]:
    try:
        return list(apps.get_model(record_type).kept_evidence)
    except LookupError:
        return []  # a machine that there is no more


def _drop(month: date) -> None:
    with _alone():
        _lock()
        if month in _months() and not _is_filled(_name_of(month)):
            _run("DROP TABLE {part}", part=_name_of(month))
            logger.info("transition log: what is kept of %s is with what is kept of the months before", month)


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else trims meanwhile."""
    with transaction.atomic():
        _run("SELECT pg_advisory_xact_lock(hashtext({name}))", name=sql.Literal(KEPT))
        yield


# --- Of a part ------------------------------------------------------------------------------------------------------


def _parts() -> dict[str, int]:
    """How large each is, with its indexes."""
    return dict(_rows(PARTS, [LOG]))


def _months() -> list[date]:
    """Those that have a part, the oldest first."""
    return sorted(filter(None, map(_month_of, _parts())))


def _name_of(month: date) -> str:
    return f"{MONTH}{month:%Y_%m}"


def _month_of(part: str) -> date | None:
    year, _, month = part.removeprefix(MONTH).partition("_")
    return date(int(year), int(month), 1) if year.isdecimal() and month.isdecimal() else None


def _later(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _is_filled(part: str) -> bool:
    return bool(_rows(_named("SELECT EXISTS (SELECT FROM {part})", part=part))[0][0])


def _lock() -> None:
    _run("SET LOCAL lock_timeout = {limit}", limit=sql.Literal(f"{LOCK_S}s"))
    # What this transaction has written is checked now, or no table of it could be changed.
    _run("SET CONSTRAINTS ALL IMMEDIATE")
    _run("LOCK TABLE {log} IN ACCESS EXCLUSIVE MODE")


def _run(statement: str, values: Sequence[Any] = (), **names: sql.Composable | str) -> int:
    """How many rows it was about."""
    with connection.cursor() as cursor:
        cursor.execute(_named(statement, **names), values or None)
        return int(cursor.rowcount)


def _rows(statement: str | sql.Composed, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def _named(statement: str, **names: sql.Composable | str) -> sql.Composed:
    """With the names of the tables put in."""
    given = {"log": LOG, "kept": KEPT, "default": DEFAULT, **names}
    return sql.SQL(statement).format(
        **{name: sql.Identifier(each) if isinstance(each, str) else each for name, each in given.items()}
    )
