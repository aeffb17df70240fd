"""A disk that is full has no room left in the tables that are on it."""

from threading import Timer

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from bench.outages import SmallDisk, postgres_on
from tests.pooler import broken_itself

pytestmark = [pytest.mark.django_db(transaction=True), broken_itself]


def test_rows_that_a_transaction_elsewhere_could_still_see_leave_no_room(
    small_disk: SmallDisk, database_url: str
) -> None:
    with (
        psycopg.connect(make_conninfo(database_url, dbname="postgres")) as elsewhere,
        connection.cursor() as cursor,
    ):
        elsewhere.execute("SELECT pg_current_xact_id()")
        cursor.execute("CREATE TABLE dead AS SELECT 1")
        cursor.execute("DELETE FROM dead")
        ending = Timer(0.2, elsewhere.rollback)
        ending.start()
        try:
            with postgres_on(database_url, small_disk, tables=("dead",)):
                cursor.execute("SELECT pg_relation_size('dead')")
                assert cursor.fetchone() == (0,)
        finally:
            ending.join()
            cursor.execute("DROP TABLE dead")
