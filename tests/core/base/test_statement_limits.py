"""Limits of statements: on a connection of one's own, and behind a pooler, where nothing that is set stays set."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError, connection, transaction
from psycopg.errors import QueryCanceled

from core.base.statement_limits import answered_in_time, in_one_transaction, lock_waits, read_in_time
from tests.pooler import unpooled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("pooled")]


@pytest.fixture(params=[pytest.param(False, marks=unpooled), True], ids=["own", "pooled"])
def pooled(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.DATABASE_IS_POOLED = request.param
    return bool(request.param)


def now(name: str = "lock_timeout") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


class TestLockWaits:
    def test_are_short_within_and_as_before_after_it(self) -> None:
        before = now()

        with lock_waits(1.5):
            within = now()
            with transaction.atomic():
                within_a_transaction = now()

        assert (within, within_a_transaction, now()) == ("1500ms", "1500ms", before)

    def test_are_as_before_within_the_same_transaction(self) -> None:
        before = now()

        with transaction.atomic():
            with lock_waits(1.5):
                within = now()
            assert (within, now()) == ("1500ms", before)

    def test_are_as_before_after_a_failure(self) -> None:
        before = now()

        with pytest.raises(ProgrammingError), lock_waits(1.5), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

        assert now() == before

    def test_leave_a_failure_to_its_savepoint(self) -> None:
        before = now()

        with transaction.atomic(), lock_waits(1.5):
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
            within = now()

        assert (within, now()) == ("1500ms", before)

    @pytest.mark.parametrize("is_within", [True, False])
    def test_leave_nothing_that_was_begun(self, is_within: bool) -> None:
        with pytest.raises(OperationalError), lock_waits(1.5), connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 20") if is_within else None
            with in_one_transaction(0.02):
                cursor.execute("SELECT pg_sleep(5)")
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")

        assert not connection.in_atomic_block
        assert now("statement_timeout") == "0"


class TestReading:
    def test_may_take_longer_and_holds_no_more_than_some_rows(self, pooled: bool) -> None:
        Group.objects.bulk_create(Group(name=str(each)) for each in range(5))

        with read_in_time():
            names = []
            for group in Group.objects.filter(name__lt="9").order_by("pk").iterator(chunk_size=2):
                names.append(group.name)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_cursors WHERE NOT is_holdable")
                    is_of_the_transaction = cursor.fetchone()[0] == 1
                assert (is_of_the_transaction, now("statement_timeout")) == (pooled, "90s")

        assert names == ["0", "1", "2", "3", "4"]
        assert now("statement_timeout") == "0"
        assert connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] is False or pooled

    def test_that_ends_early_leaves_nothing(self) -> None:
        with pytest.raises(ZeroDivisionError), read_in_time():
            raise ZeroDivisionError

        assert not connection.in_atomic_block
        assert now("statement_timeout") == "0"


def test_an_answer_that_comes_too_late_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperationalError) as raised, in_one_transaction(0.02), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")

    assert isinstance(raised.value.__cause__, QueryCanceled)
    with answered_in_time():
        assert now("statement_timeout") == "20s"


@unpooled
class TestMigrating:
    def test_is_refused_where_a_pooler_breaks_off_what_takes_longer(self, pooled: bool) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '15s'")
        try:
            with pytest.raises(CommandError, match="the pooler lets a statement take 15s") if pooled else nullcontext():
                call_command("migrate", verbosity=0)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")
