"""Rows that are read and written by statements written as text."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import Error, IntegrityError, NotSupportedError, connection, transaction
from django.utils import timezone

from core.base.database import (
    copy_in,
    fetch_both,
    fetch_one,
    insert,
    is_conflict,
    is_outage,
    prepared,
    update,
    update_all,
)
from tests.pooler import unpooled

pytestmark = pytest.mark.django_db

BOTH = """
SELECT {columns}, 7 AS lucky FROM auth_user CROSS JOIN auth_group WHERE username = %s AND name = %s
"""


class TestFetchBoth:
    def test_reads_a_row_of_each_and_what_comes_with_it(self) -> None:
        person, role = (
            User.objects.create(username="otto", email="otto@example.com"),
            Group.objects.create(name="cooks"),
        )

        found = fetch_both(User, Group, BOTH, ["otto", "cooks"])

        assert found == (person, role)
        assert (found[0].email, found[0].lucky, found[1].name) == ("otto@example.com", 7, "cooks")  # type: ignore[attr-defined]  # as asked

    def test_finds_none(self) -> None:
        assert fetch_both(User, Group, BOTH, ["nobody", "cooks"]) is None
        assert fetch_one(User, "SELECT {columns} FROM {table} WHERE username = %s", ["nobody"]) is None


class TestInsert:
    def test_writes_all_rows(self) -> None:
        insert([Group(name="cooks"), Group(name="tasters")])

        assert set(Group.objects.filter(name__in=["cooks", "tasters"]).values_list("name", flat=True)) == {
            "cooks",
            "tasters",
        }

    def test_is_held_to_the_constraints(self) -> None:
        Group.objects.create(name="cooks")

        with pytest.raises(IntegrityError):
            insert([Group(name="cooks")])


class TestUpdate:
    def test_writes_the_named_fields_of_that_row_only(self) -> None:
        kept = Session.objects.create(session_key="a", session_data="old", expire_date=timezone.now())
        other = Session.objects.create(session_key="b", session_data="old", expire_date=kept.expire_date)
        changed = Session(session_key="a", session_data="new", expire_date=timezone.now())

        update(changed, [Session._meta.get_field("session_data")])

        kept.refresh_from_db()
        other.refresh_from_db()
        assert (kept.session_data, kept.expire_date == other.expire_date, other.session_data) == ("new", True, "old")


class TestUpdateAll:
    def test_writes_to_each_row_its_own_and_to_no_other(self) -> None:
        odd = ["{a,b}", 'NULL "quoted" \\ \'', "", "Ünïcode\n→"]
        at = timezone.now()
        for key in (*"abcd", "other"):
            Session.objects.create(session_key=key, session_data="old", expire_date=at)
        rows = [
            Session(session_key=key, session_data=text, expire_date=at + timedelta(microseconds=number + 1))
            for number, (key, text) in enumerate(zip("abcd", odd, strict=True))
        ]

        update_all(rows, [Session._meta.get_field("session_data"), Session._meta.get_field("expire_date")])

        assert [(each.session_data, each.expire_date) for each in Session.objects.order_by("session_key")] == [
            *((each.session_data, each.expire_date) for each in rows),
            ("old", at),
        ]


def read(statement: str = "SELECT kind FROM kettles") -> object:
    with prepared() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@unpooled
@pytest.mark.django_db(transaction=True)
class TestPrepared:
    @pytest.fixture(autouse=True)
    def kettles(self) -> Iterator[None]:
        """One, of a kind that has been read so often that the statement is prepared."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kettles AS SELECT 7 AS kind")
            for _ in range(4):
                read()
            yield
            cursor.execute("DROP TABLE kettles")

    def change(self) -> None:
        """As somebody else, since who changes a table forgets what was prepared."""
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("ALTER TABLE kettles ALTER kind TYPE text")
        other.close()

    def test_is_what_is_sent_again_and_again(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT kind%'")

            assert cursor.fetchone()[0] == 1

    def test_reads_on_when_a_migration_changes_a_column(self) -> None:
        self.change()

        assert read() == "7"
        assert read() == "7"

    def test_is_a_conflict_within_a_transaction_and_works_after_it(self) -> None:
        self.change()

        with pytest.raises(Error) as raised, transaction.atomic():
            read()

        assert is_conflict(raised.value)
        with transaction.atomic():
            assert read() == "7"

    def test_tells_other_faults(self) -> None:
        with pytest.raises(NotSupportedError):
            read("SELECT DISTINCT kind FROM kettles FOR UPDATE")


class TestCopyIn:
    def test_writes_rows_in_the_form_of_postgresql(self) -> None:
        copy_in("COPY auth_group (name) FROM STDIN", "cooks\nta\\tsters\n")

        assert set(Group.objects.filter(name__in=["cooks", "ta\tsters"]).values_list("name", flat=True)) == {
            "cooks",
            "ta\tsters",
        }

    @pytest.mark.parametrize(
        ("statement", "text"), [("COPY auth_group (id) FROM STDIN", "1\n"), ("COPY nowhere FROM STDIN", "")]
    )
    def test_is_refused_with_an_error_of_djangos(self, statement: str, text: str) -> None:
        with pytest.raises(Error), transaction.atomic():
            copy_in(statement, text)

    @pytest.mark.django_db(transaction=True)
    def test_is_told_an_outage_where_the_server_ends(self) -> None:
        with pytest.raises(Error) as told, transaction.atomic():
            with connection.cursor() as cursor, contextlib.suppress(Error):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            copy_in("COPY auth_group (name) FROM STDIN", "cooks\n")
        connection.close()

        assert is_outage(told.value)
