"""What an error of PostgreSQL means for whoever meets it, told by its SQLSTATE.

The codes stand in PostgreSQL's documentation, appendix “PostgreSQL Error Codes”.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, override

from django.conf import settings
from django.db import Error, IntegrityError, OperationalError, connection
from django.db import InterfaceError as ConnectionBroken
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from django.db.models.base import ModelState
from psycopg import Cursor
from psycopg import DatabaseError as WithoutCode
from psycopg.errors import FeatureNotSupported

# A table that says which restore of a backup is not through. It is of the restore, and no backup's.
RESTORING = "runsheet_restore"
NOT_MIGRATED = "The database lacks tables. Run: python manage.py migrate"

UNDEFINED = ("42P01", "42703")  # a table, a column
# Another transaction was in the way: a lock, a deadlock, a serialisation that failed.
CONFLICTS = ("40001", "40P01", "55P03")
# What PostgreSQL says, with a code that means much else, where a migration changes what a prepared statement answers with.
STALE_PLAN = "cached plan must not change result type"
# By the beginning of the code, the longest first. A class that is missing here is the program's fault, or its data's.
UNPREPARED = "What stands before PostgreSQL mixes up prepared statements ({reason}). Let it keep them, or set DATABASE_PREPARES=no."
OUTAGES = {
    "08": "The database is out of reach ({reason}). See that it runs and that DATABASE_URL is right.",
    "08001": "There is no TLS as DATABASE_URL wants it ({reason}). See its sslmode, sslrootcert, sslcert and sslkey, and whether this "
    "program may read the files that they name.",
    "08004": "A pooler stands before PostgreSQL, and does not take how we connect ({reason}). Name PostgreSQL itself in "
    "DATABASE_URL, or set DATABASE_POOLER=transaction; see docs/operations.md, “A pooler”.",
    "25006": "PostgreSQL is read-only, so nothing can be saved ({reason}). DATABASE_URL must name the primary, and neither "
    "role nor database may have default_transaction_read_only; a server that is recovering has to end that first.",
    "25P0": "PostgreSQL has ended a transaction that stood still for too long ({reason}). See whether this host is "
    "overloaded or was suspended.",
    "26": UNPREPARED,
    "28": "PostgreSQL does not let us in ({reason}). See the user in DATABASE_URL, which has to be there and may need the right to "
    "connect to this database, its password there or in DATABASE_PASSWORD, and pg_hba.conf.",
    "3D": "PostgreSQL has no such database ({reason}). Name another one in DATABASE_URL, or make this one (createdb).",
    "40": "PostgreSQL has broken off a transaction ({reason}). See its log.",
    "42P05": UNPREPARED,
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
# Regular expressions for what is said when there comes no connection, by the server, by a pooler or by libpq: no code is handed
# on then. The first that is found counts. PostgreSQL itself says 08001 and 08004 to nobody who connects.
REFUSED_CONNECTIONS = {
    "too many connections|too many clients|remaining connection slots|no more connections allowed": "53300",
    "authentication failed|no password supplied": "28P01",
    "pg_hba.conf|is not permitted to log in|permission denied for database|no such user": "28000",
    'role ".*" does not exist': "28000",
    'database ".*" does not exist|no such database': "3D000",
    "the database system is|is not currently accepting connections": "57P03",
    "session is read-only|server is in hot standby mode": "25006",
    "No space left on device": "53100",
    "unsupported startup parameter": "08004",
    "certificate|private key file|does not support SSL|alert unknown ca|channel binding": "08001",
}


def fetch_one[M: Model](
    model: type[M], statement: str, values: Sequence[Any] | Mapping[str, Any], /, **parts: str
) -> M | None:
    """The first row that a statement answers with; None if it answers with none.

    As the manager's `raw`, without what that does for statements that nobody has seen yet, which takes longer than most
    statements do.

    Args:
        statement: with `{columns}` where those of the model stand, first of all; what else it answers with becomes
            attributes. `{table}` and `{pk}` are the model's, too.
        parts: what stands for other names in braces.
    """
    told = _fetch(_written(statement, (model,), tuple(parts.items())), values)
    return None if told is None else _made(model, *told)


def fetch_both[M: Model, N: Model](
    model: type[M], beside: type[N], statement: str, values: Sequence[Any] | Mapping[str, Any]
) -> tuple[M, N] | None:
    """The same for a row of one table and the one that belongs to it in another.

    Args:
        statement: with `{columns}` where those of both tables stand, first of all; what else it answers with becomes
            attributes of the first.
    """
    told = _fetch(_written(statement, (beside, model)), values)
    if told is None:
        return None
    row, name_of = told
    width = len(_columns(beside))
    return _made(model, row[width:], lambda place: name_of(place + width)), _made(beside, row[:width], name_of)


def read_in_part[M: Model](model: type[M], names: Sequence[str], row: Sequence[Any]) -> M:
    """The object that a part of a row stands for; what of it was not read is read when somebody asks for it.

    Args:
        names: of attributes, of which those that are no field's are set, too.
    """
    found = _new(model)
    for name, value in zip(names, row, strict=True):
        setattr(found, name, value)
    return found


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one table, which give all columns but the key; the key stays unknown."""
    model = type(rows[0])
    fields = _fields_beside_the_key(model)
    one = f"({', '.join(['%s'] * len(fields))})"
    table, columns = connection.ops.quote_name(model._meta.db_table), ", ".join(str(field.column) for field in fields)
    statement = f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * len(rows))}"  # noqa: S608 - of names in models
    with prepared() as cursor:
        cursor.execute(statement, [value for row in rows for value in _as_stored(row, fields, add=True)])


def update(row: Model, fields: "Sequence[Field[Any, Any]]") -> None:
    """Write these fields of a row that is locked, past its `save` and the signals that nobody here listens to."""
    table, key = connection.ops.quote_name(row._meta.db_table), row._meta.pk.column
    changed = ", ".join(f"{field.column} = %s" for field in fields)
    statement = f"UPDATE {table} SET {changed} WHERE {key} = %s"  # noqa: S608 - of names in models
    with prepared() as cursor:
        cursor.execute(statement, [*_as_stored(row, fields, add=False), row.pk])


def update_all(rows: Sequence[Model], fields: "Sequence[Field[Any, Any]]") -> None:
    """Write these fields of several rows of one table, which are locked, by one statement; as `update` does of one.

    Of each column the values go as one array: PostgreSQL has no arrays of arrays of different lengths, and an expression
    is no value, so neither can be written like this.
    """
    meta = rows[0]._meta
    table, key = connection.ops.quote_name(meta.db_table), meta.pk
    names = [str(field.column) for field in (key, *fields)]
    types = [str(key.rel_db_type(connection)), *(str(field.db_type(connection)) for field in fields)]
    arrays = ", ".join(f"%s::{kind.partition('(')[0]}[]" for kind in types)
    changed = ", ".join(f"{field.column} = new.{field.column}" for field in fields)
    statement = (
        f"UPDATE {table} SET {changed} FROM unnest({arrays}) AS new({', '.join(names)}) "  # noqa: S608 - of names in models
        f"WHERE {table}.{key.column} = new.{key.column}"
    )
    stored = [[row.pk, *_as_stored(row, fields, add=False)] for row in rows]
    with prepared() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*stored, strict=True)])


def copy_in(statement: str, text: str) -> None:
    """Write rows by a `COPY … FROM STDIN`, which takes a fifth of the time of parameters.

    Args:
        text: the rows in PostgreSQL's own form.
    """
    # Django's cursor hands on what psycopg raises of a copy as it is, which nobody would take for an error of the database's.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(text)


def prepared() -> CursorWrapper:
    """A cursor for statements that are sent again and again: PostgreSQL parses and plans each once for a connection.

    That is half of what it takes for most of them. Django's own cursor writes the values into the statement, so that it is
    another one each time. Where statements cannot be prepared (`DATABASE_PREPARES`), the values still go beside it.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        # Django has no other way to a cursor of a class that is not the connection's.
        cursor: CursorWrapper = connection._prepare_cursor(_PreparedCursor(connection.connection))  # type: ignore[attr-defined]  # noqa: SLF001
    return cursor


class _PreparedCursor(Cursor[Any]):
    @override
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        try:
            return super().execute(query, params, **options)
        except FeatureNotSupported as error:
            # A column has another type now. In a transaction, which has failed by this, all of it is a conflict.
            if STALE_PLAN not in str(error) or not self.connection.autocommit:
                raise
            return super().execute(query, params, prepare=False)


def _as_stored(row: Model, fields: "Sequence[Field[Any, Any]]", *, add: bool) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, add), connection) for field in fields]


def _fetch(
    statement: str, values: Sequence[Any] | Mapping[str, Any]
) -> tuple[Sequence[Any], Callable[[int], str]] | None:
    """The first row, and what tells the names of its columns by their places."""
    with prepared() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        # Past `description`, which makes an object of each column.
        answer = cursor.pgresult
        return row and (row, lambda place: answer.fname(place).decode())


def _new[M: Model](model: type[M]) -> M:
    """An object of which there is a row, past its `__init__` and the signals that nobody here listens to."""
    found = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, connection.alias
    found._state = state  # noqa: SLF001 - as Django's own `__init__` does
    return found


def _made[M: Model](model: type[M], row: Sequence[Any], name_of: Callable[[int], str]) -> M:
    """The object that a row stands for."""
    columns = _columns(model)
    found = _new(model)
    said = found.__dict__
    for (_, attname, convert), value in zip(columns, row, strict=False):
        said[attname] = convert(value, None, connection) if convert else value
    for place in range(len(columns), len(row)):
        setattr(found, name_of(place), row[place])
    return found


@cache
def _columns(model: type[Model]) -> list[tuple[str, str, Callable[..., Any] | None]]:
    """Of each field: its column, its attribute, and what makes Python's value of the database's, if anything does."""
    fields = model._meta.concrete_fields
    return [(str(field.column), field.attname, getattr(field, "from_db_value", None)) for field in fields]


@cache
def _fields_beside_the_key(model: type[Model]) -> "Sequence[Field[Any, Any]]":
    return [field for field in model._meta.concrete_fields if not field.primary_key]


@lru_cache(maxsize=500)
def _written(statement: str, models: tuple[type[Model], ...], parts: tuple[tuple[str, str], ...] = ()) -> str:
    """The statement with its names put in."""
    first, quoted = models[0]._meta, connection.ops.quote_name
    return statement.format(columns=_named(*models), table=quoted(first.db_table), pk=first.pk.column, **dict(parts))


@cache
def _named(*models: type[Model]) -> str:
    """The columns that the models know, and no other: a table that is ahead of this program may have more."""
    return ", ".join(f"{model._meta.db_table}.{column}" for model in models for column, _, _ in _columns(model))


def is_conflict(error: BaseException) -> bool:
    """Another transaction was in the way; the connection is sound, and the same may work a moment later."""
    return isinstance(error, Error) and (_code(error) in CONFLICTS or STALE_PLAN in str(error))


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
    if is_conflict(error):
        return None
    if code:
        return next((OUTAGES[code[:length]] for length in (5, 4, 2) if code[:length] in OUTAGES), None)
    # psycopg's class for all that has no code: libpq has made it, of a connection that broke while something was sent.
    is_away = isinstance(error, (OperationalError, ConnectionBroken)) or type(error.__cause__) is WithoutCode
    return f"{UNREACHED} {settings.START_SERVERS}".rstrip() if is_away else None


def _code(error: Error) -> str:
    """The SQLSTATE; empty for what the server has not said."""
    code: str | None = getattr(error.__cause__, "sqlstate", None)
    if code or not isinstance(error, OperationalError):
        return code or ""
    return next((code for words, code in REFUSED_CONNECTIONS.items() if re.search(words, str(error))), "")
