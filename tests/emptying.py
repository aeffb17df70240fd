"""How the database is emptied after a test that commits: only what is not empty, and what the migrations made stays.

Django's own flush locks every table, and takes the roles and the numbers of content types with it, which a console that
goes on running has read already. To truncate a table makes it and all its indexes anew, which costs ten times as much as
to delete the few rows that most tests leave.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg import sql

MIGRATIONS = "django_migrations"
# What migrations made, each after what it refers to.
MADE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

# A table that has grown beyond this is made anew, lest others read over what was in it.
SMALL_BYTES = 512 * 1024

type Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Made:
    """What a migrated database holds before any test.

    Attributes:
        rows: what the migrations made.
        question: which other tables are not empty, and how many bytes each has.
    """

    rows: dict[str, Rows]
    question: sql.Composed

    @classmethod
    def read(cls) -> "Made":
        tables = set(connection.introspection.django_table_names(only_existing=True)) - {MIGRATIONS, *MADE}
        return cls({table: _rows(table) for table in MADE}, sql.SQL(" UNION ALL ").join(map(_look, sorted(tables))))

    def restore(self) -> None:
        """Empty every other table, and put these back where a test has changed them."""
        with transaction.atomic(), connection.cursor() as cursor:
            # The log lets nobody delete, and what refers to what goes as well.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(self.question)
            for table, size in cursor.fetchall():
                how = "DELETE FROM {}" if size < SMALL_BYTES else "TRUNCATE {} CASCADE"
                cursor.execute(sql.SQL(how).format(sql.Identifier(table)))
            if all(_rows(table) == rows for table, rows in self.rows.items()):
                return
            for table in reversed(MADE):
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table in MADE:
                _insert(table, self.rows[table])


def _rows(table: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier(table)))
        return list(cursor.fetchall())


def _insert(table: str, rows: Rows) -> None:
    with connection.cursor() as cursor:
        places = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0])) if rows else sql.SQL("")
        for row in rows:
            cursor.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), places), row)


def _look(table: str) -> sql.Composed:
    return sql.SQL("SELECT {0}, pg_relation_size({0}) WHERE EXISTS (SELECT FROM {1})").format(
        sql.Literal(table), sql.Identifier(table)
    )
