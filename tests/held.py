"""A row that another session of the database holds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, models


@contextmanager
def held_by_another_session(model: type[models.Model], pk: int) -> Iterator[Callable[[], None]]:
    """Lock the committed row, as a worker does that is at it; for tests with `django_db(transaction=True)`.

    Yields what lets go of it before the end.
    """
    with psycopg.connect(**_parameters()) as other:
        other.execute(f'SELECT 1 FROM "{model._meta.db_table}" WHERE id = %s FOR UPDATE', [pk])
        yield other.rollback
        other.rollback()


def until_somebody_waits(*, within_s: float = 10) -> None:
    """Return once another session of this database waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    until = time.monotonic() + within_s
    with psycopg.connect(**_parameters(), autocommit=True, prepare_threshold=None) as other:  # a pooler may keep none
        while not other.execute(waiting).fetchone():
            assert time.monotonic() < until, "nobody waits for a lock"


def _parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if parameters.get(name)}
