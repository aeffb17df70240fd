"""How the database is emptied after a test that commits: only what is not empty, and what the migrations made stays.

Django's own flush locks every table, and takes the roles and the numbers of content types with it, which a console that
goes on running has read already.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

MIGRATIONS = "django_migrations"
# What migrations made, each after what it refers to.
MADE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

type Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Made:
    """What a migrated database holds before any test."""

    rows: dict[str, Rows]

    @classmethod
    def read(cls) -> "Made":
        return cls({table: _rows(table) for table in MADE})

    def restore(self) -> None:
        """Empty every other table, and put these back where a test has changed them."""
        with connection.cursor() as cursor:
            if filled := list(_filled()):
                names = sql.SQL(", ").join(map(sql.Identifier, filled))
                # What refers to them goes too; nothing that migrations made does.
                cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
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


def _filled() -> Iterator[str]:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - {MIGRATIONS, *MADE}
    looks = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in sorted(tables)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(looks))
        yield from (name for (name,) in cursor.fetchall())
