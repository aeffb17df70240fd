"""What an error of PostgreSQL means for whoever meets it, told by its SQLSTATE.

The codes stand in PostgreSQL's documentation, appendix “PostgreSQL Error Codes”.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error, IntegrityError, OperationalError, connection
from django.db import InterfaceError as ConnectionBroken
from django.db.models import Field, Model

NOT_MIGRATED = "The database lacks tables. Run: python manage.py migrate"

UNDEFINED = ("42P01", "42703")  # a table, a column
# Another transaction was in the way: a lock, a deadlock, a serialisation that failed.
CONFLICTS = ("40001", "40P01", "55P03")
# By the beginning of the code, the longest first. A class that is missing here is the program's fault, or its data's.
OUTAGES = {
    "08": "The database is out of reach ({reason}). See that it runs and that DATABASE_URL is right.",
    "25006": "PostgreSQL is read-only, so nothing can be saved ({reason}). DATABASE_URL must name the primary, and neither "
    "role nor database may have default_transaction_read_only; a server that is recovering has to end that first.",
    "25P0": "PostgreSQL has ended a transaction that stood still for too long ({reason}). See whether this host is "
    "overloaded or was suspended.",
    "28": "PostgreSQL lets us in no more ({reason}). See user and password in DATABASE_URL, and pg_hba.conf.",
    "3D": "PostgreSQL has no such database ({reason}). See DATABASE_URL.",
    "40": "PostgreSQL has broken off a transaction ({reason}). See its log.",
    "53": "PostgreSQL lacks what it needs ({reason}). See its log.",
    "53100": "PostgreSQL's disk is full, so nothing can be saved ({reason}). Make room on the disk of its data.",
    "53200": "PostgreSQL is out of memory ({reason}). Give its host more, or its connections less.",
    "53300": "PostgreSQL takes no more connections ({reason}). Raise max_connections (or the limit of the role or "
    "database), or run fewer programs.",
    "57": "PostgreSQL has broken off what it was asked ({reason}). See its log.",
    "57014": "PostgreSQL took too long and was cut off ({reason}). See its load, and statement_timeout.",
    "57P0": "PostgreSQL stops, starts or recovers ({reason}). See that it runs.",
    "58": "PostgreSQL cannot use its files ({reason}). See its disk and its log.",
}
# What has no code comes from the connection, and from a server that refuses one.
UNREACHED = "The database does not answer ({reason}). See that it runs and that DATABASE_URL is right."
# A server says these when it refuses a connection, and its code is then not handed on.
REFUSED_CONNECTIONS = {
    "too many connections": "53300",
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
    "is not permitted to log in": "28000",
    "the database system is": "57P03",
    "is not currently accepting connections": "57P03",
    "does not exist": "3D000",
    "No space left on device": "53100",
}


def fetch_one[M: Model](model: type[M], statement: str, values: Sequence[Any] | Mapping[str, Any]) -> M | None:
    """The first row that a statement answers with; None if it answers with none.

    As the manager's `raw`, without what that does for statements that nobody has seen yet, which takes longer than most
    statements do.

    Args:
        statement: it answers with whole rows of the model's table; what else it answers with become attributes.
    """
    told = _fetch(statement, values)
    return None if told is None else _made(model, told)


def fetch_both[M: Model, N: Model](
    model: type[M], beside: type[N], statement: str, values: Sequence[Any] | Mapping[str, Any]
) -> tuple[M, N] | None:
    """The same for a row of one table and the one that belongs to it in another.

    Args:
        statement: with `{columns}` where those of both tables stand, first of all; what else it answers with becomes
            attributes of the first.
    """
    told = _fetch(statement.format(columns=_named(beside, model)), values)
    if told is None:
        return None
    width = len(_columns(beside))
    return _made(model, told[width:]), _made(beside, told[:width])


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one table, which give all columns but the key; the key stays unknown."""
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    one = f"({', '.join(['%s'] * len(fields))})"
    table, columns = connection.ops.quote_name(model._meta.db_table), ", ".join(str(field.column) for field in fields)
    statement = f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * len(rows))}"  # noqa: S608 - of names in models
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in _as_stored(row, fields, add=True)])


def update(row: Model, fields: "Sequence[Field[Any, Any]]") -> None:
    """Write these fields of a row that is locked, past its `save` and the signals that nobody here listens to."""
    table, key = connection.ops.quote_name(row._meta.db_table), row._meta.pk.column
    changed = ", ".join(f"{field.column} = %s" for field in fields)
    statement = f"UPDATE {table} SET {changed} WHERE {key} = %s"  # noqa: S608 - of names in models
    with connection.cursor() as cursor:
        cursor.execute(statement, [*_as_stored(row, fields, add=False), row.pk])


def _as_stored(row: Model, fields: "Sequence[Field[Any, Any]]", *, add: bool) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, add), connection) for field in fields]


def _fetch(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[str, Any]] | None:
    """The names and values of the first row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return row and list(zip([column.name for column in cursor.description], row, strict=True))


def _made[M: Model](model: type[M], row: Sequence[tuple[str, Any]]) -> M:
    told = dict(row)
    read = [(attname, _converted(convert, told.pop(column))) for column, attname, convert in _columns(model)]
    found = model.from_db(connection.alias, [attname for attname, _ in read], [value for _, value in read])
    for name, value in told.items():
        setattr(found, name, value)
    return found


@cache
def _columns(model: type[Model]) -> list[tuple[str, str, Callable[..., Any] | None]]:
    """Of each field: its column, its attribute, and what makes Python's value of the database's, if anything does."""
    fields = model._meta.concrete_fields
    return [(str(field.column), field.attname, getattr(field, "from_db_value", None)) for field in fields]


@cache
def _named(*models: type[Model]) -> str:
    """The columns that the models know, and no other: a table that is ahead of this program may have more."""
    return ", ".join(f"{model._meta.db_table}.{column}" for model in models for column, _, _ in _columns(model))


def _converted(convert: Callable[..., Any] | None, value: Any) -> Any:
    return convert(value, None, connection) if convert else value


@contextmanager
def lock_waits(at_most_s: float) -> Iterator[None]:
    """For who has somebody waiting: locks are waited for no longer than that, and refused as a conflict."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{at_most_s * 1000:.0f}ms"])
    try:
        yield
    finally:
        if connection.connection and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


def is_conflict(error: BaseException) -> bool:
    """Another transaction was in the way; the connection is sound, and the same may work a moment later."""
    return isinstance(error, Error) and _code(error) in CONFLICTS


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint that something would have broken; empty where the database does not tell."""
    told = getattr(error.__cause__, "diag", None)
    return getattr(told, "constraint_name", None) or ""


def is_outage(error: BaseException) -> bool:
    """The database is away, or takes nothing (a standby, a full disk). It is waited out, and is nobody's bug."""
    return isinstance(error, Error) and _outage(error) is not None


def is_not_migrated(error: BaseException) -> bool:
    """Tables or columns are missing: `migrate` has not run yet, or is running."""
    return isinstance(error, Error) and _code(error) in UNDEFINED


def in_words(error: Error) -> str:
    """What is wrong and, where somebody can do something, what."""
    return _words(error).format(reason=_reason(error))


def for_everybody(error: Error) -> str:
    """The same without what the server said, which may name hosts and users."""
    return _words(error).replace(" ({reason})", "").replace(": {reason}", " what it is asked.")


def _words(error: Error) -> str:
    if is_not_migrated(error):
        return NOT_MIGRATED
    if is_conflict(error):
        return "Somebody else holds a row for too long ({reason})."
    return _outage(error) or "The database refuses: {reason}"


def _reason(error: Error) -> str:
    """The first line of what was said, without which connection it was said of."""
    line = " ".join(str(error).strip().partition("\n")[0].split())
    return line.rpartition(" failed: ")[2].removeprefix("FATAL: ")


def _outage(error: Error) -> str | None:
    """The sentence for what ails the database; None if nothing does."""
    code = _code(error)
    if code in CONFLICTS:
        return None
    if code:
        return next((OUTAGES[code[:length]] for length in (5, 4, 2) if code[:length] in OUTAGES), None)
    is_away = isinstance(error, (OperationalError, ConnectionBroken))
    return f"{UNREACHED} {settings.START_SERVERS}".rstrip() if is_away else None


def _code(error: Error) -> str:
    """The SQLSTATE; empty for what the server has not said."""
    code: str | None = getattr(error.__cause__, "sqlstate", None)
    if code or not isinstance(error, OperationalError):
        return code or ""
    return next((code for words, code in REFUSED_CONNECTIONS.items() if words in str(error)), "")
