"""A page that takes too long ends with a sentence, and only that."""

from collections.abc import Iterator
from errno import ENOENT, ENOSPC
from typing import NoReturn

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import DatabaseError, DataError, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from redis.exceptions import OutOfMemoryError

from bench.outages import postgres_read_only
from console.records.exports import Column
from core.http import refusals
from core.http.statements import AnswerInTime, bind_requests
from leases.admin.leases import LeaseAdmin
from leases.models import Lease
from tests.pooler import broken_itself, unpooled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def other() -> Iterator[BaseDatabaseWrapper]:
    """A second connection."""
    made = connections.create_connection("default")
    yield made
    made.close()


def limit_of(wrapper: BaseDatabaseWrapper, name: str = "statement_timeout") -> str:
    with wrapper.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


class TestBinding:
    @unpooled
    def test_is_what_connections_begin_with_and_come_back_to(
        self, monkeypatch: pytest.MonkeyPatch, other: BaseDatabaseWrapper
    ) -> None:
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(options, "options", options["options"])
        assert limit_of(connection) == "0"

        bind_requests()

        assert limit_of(other) == f"{django_settings.REQUEST_STATEMENT_S:g}s" == "15s"
        with other.cursor() as cursor:
            cursor.execute("SET statement_timeout = '1min'")
            cursor.execute("RESET statement_timeout")
        assert limit_of(other) == "15s"

    def test_leaves_who_waits_for_a_lock_the_time_to_be_told_that(self) -> None:
        assert django_settings.REQUEST_STATEMENT_S > django_settings.LOCK_TIMEOUT_S


class TestAPage:
    @pytest.mark.parametrize(
        ("limit", "sentence"), [("statement_timeout", refusals.TOO_SLOW), ("lock_timeout", refusals.IN_THE_WAY)]
    )
    def test_that_waits_for_too_long_is_answered(
        self, console: Client, other: BaseDatabaseWrapper, limit: str, sentence: str
    ) -> None:
        other.set_autocommit(False)
        with other.cursor() as holder:
            holder.execute("LOCK TABLE leases_lease IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {limit} = '100ms'")

        answer = console.get(reverse("admin:leases_lease_changelist"))

        assert answer.status_code == 503
        assert sentence in answer.text

    def test_that_is_broken_in_another_way_is_no_business_of_this(self) -> None:
        here = AnswerInTime(lambda _: HttpResponse())
        request = RequestFactory().get("/")

        for error in (ValueError(), DatabaseError("odd"), DataError("odd"), OSError(ENOENT, "not there")):
            assert here.process_exception(request, error) is None


def raise_(error: Exception) -> NoReturn:
    raise error


class TestAnOutage:
    """Is told as what it is, and not as something that is wrong in the console."""

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (
                OperationalError("connection to server at 10.0.0.7 failed: gone"),
                "The database does not answer. See that",
            ),
            (InterfaceError("connection already closed"), "The database does not answer. See that"),
            (OutOfMemoryError("command not allowed"), "Redis is full and takes nothing new."),
            (OSError(ENOSPC, "No space left on device"), "The disk of this host is full."),
        ],
    )
    def test_of_a_page(self, error: Exception, words: str) -> None:
        answer = AnswerInTime(lambda _: HttpResponse()).process_exception(RequestFactory().get("/"), error)

        assert answer is not None
        assert answer.status_code == 503
        assert words in answer.text
        assert refusals.MEANWHILE in answer.text
        assert "10.0.0.7" not in answer.text

    def test_of_what_is_around_pages(self) -> None:
        def broken(request: HttpRequest) -> HttpResponse:
            try:
                raise_(OperationalError("gone"))
            except OperationalError:
                return refusals.server_error(request)

        request = RequestFactory().get("/")

        assert (broken(request).status_code, refusals.server_error(request).status_code) == (503, 500)

    @broken_itself
    @pytest.mark.django_db(transaction=True)
    def test_of_a_form_that_cannot_be_saved(self, console: Client, database_url: str) -> None:
        form = {"agency": "BLM", "lease_number": "NMNM 1"}
        with postgres_read_only(database_url):
            answer = console.post(reverse("admin:leases_lease_add"), form)
            connection.close()
            again = console.post(reverse("admin:leases_lease_add"), form)
        connection.close()

        assert (answer.status_code, again.status_code) == (503, 503)
        assert "PostgreSQL is read-only, so nothing can be saved." in again.text
        assert Lease.objects.count() == 0


class TestAFile:
    def test_may_take_longer_while_it_is_read(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        Lease.objects.create(agency="BLM", lease_number="NMNM 1")
        seen: list[str] = []
        column = Column("Limit", lambda _: seen.append(limit_of(connection)))
        monkeypatch.setattr(LeaseAdmin, "file_columns", (column,))

        answer = console.get(reverse("admin:leases_lease_download", args=["csv"]))
        answer.getvalue()

        assert seen == ["90s"]
        assert limit_of(connection) == "0"
