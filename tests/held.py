"""A row that another session of the database holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, models


@contextmanager
def held_by_another_session(model: type[models.Model], pk: int) -> Iterator[Callable[[], None]]:
    """Lock the committed row, as a worker does that is at it; for tests with `django_db(transaction=True)`.

    Yields what lets go of it before the end.
    """
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if parameters.get(name)}
    with psycopg.connect(**wanted) as other:
        other.execute(f'SELECT 1 FROM "{model._meta.db_table}" WHERE id = %s FOR UPDATE', [pk])
        yield other.rollback
        other.rollback()
