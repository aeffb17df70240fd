"""Lists for programs: some rows at a time."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from ninja import NinjaAPI, Query
from ninja.testing import TestClient
from pydantic import BaseModel

from api.errors import CursorUnknown
from api.paging import Page, Paged, page
from tests.toy.models import Kettle

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
# Each with equal ones and, of what may be empty, with empty ones.
ROWS = [("b", None, 2), ("a", 0, 1), ("c", 1, 1), ("a", None, 1), ("a", 0, 2), ("c", 1, 3), ("", 2, 3)]
ORDERS: list[tuple[str, ...]] = [
    (),
    ("-pk",),
    ("label",),
    ("-label",),
    ("due_at",),
    ("-due_at",),
    ("due_at", "-litres"),
    ("-due_at", "label", "-litres"),
    ("length", "-due_at"),
    ("initiated_by__username", "label"),
    ("-initiated_by__username", "-pk"),
]


@pytest.fixture
def kettles() -> QuerySet[Kettle]:
    people = [User.objects.create_user("ann"), User.objects.create_user("bob"), None]
    Kettle.objects.bulk_create(
        Kettle(
            label=label,
            due_at=None if days is None else DAY + timedelta(microseconds=days),
            litres=litres,
            initiated_by=people[litres - 1],
        )
        for label, days, litres in ROWS
    )
    return Kettle.objects.select_related("initiated_by").annotate(length=Length("label"))


def pages(rows: QuerySet[Kettle], *order: str, limit: int = 2) -> "Iterator[Page[Kettle]]":
    cursor: str | None = ""
    while cursor is not None:
        yield (found := page(rows, order=order, cursor=cursor, limit=limit))
        cursor = found.next


class TestPage:
    @pytest.mark.parametrize("order", ORDERS, ids="/".join)
    def test_by_page_each_row_comes_once_and_in_order(self, kettles: QuerySet[Kettle], order: tuple[str, ...]) -> None:
        last = (order or ("pk",))[-1]
        by = order if "-pk" in order else (*order, "-pk" if last.startswith("-") else "pk")

        for limit in (1, 2, 3, len(ROWS) - 1):
            found = [each.pk for one in pages(kettles, *order, limit=limit) for each in one.items]

            assert found == [each.pk for each in kettles.order_by(*by)], limit

    @pytest.mark.parametrize("count", [len(ROWS), len(ROWS) + 1])
    def test_that_holds_the_last_row_is_the_last(self, kettles: QuerySet[Kettle], count: int) -> None:
        assert page(kettles, order=["pk"], limit=count).next is None

    def test_of_nothing_is_empty(self) -> None:
        found = page(Kettle.objects.all(), order=["label"], total=True)

        assert found.model_dump() == {"items": [], "next": None, "total": 0}

    def test_stays_where_it_was_while_rows_come_and_go(self, kettles: QuerySet[Kettle]) -> None:
        first = page(kettles, order=["label"], limit=3)
        Kettle.objects.create(label="", due_at=None)
        first.items[-1].delete()

        second = page(kettles, order=["label"], cursor=first.next or "")

        assert [each.label for each in (*first.items, *second.items)] == ["", "a", "a", "a", "b", "c", "c"]

    def test_takes_one_statement_and_one_more_to_count(self, kettles: QuerySet[Kettle]) -> None:
        first = page(kettles, order=["-due_at", "label"], limit=3)

        with CaptureQueriesContext(connection) as asked:
            second = page(kettles, order=["-due_at", "label"], cursor=first.next or "", limit=3)
        with CaptureQueriesContext(connection) as counted:
            third = page(kettles, order=["-due_at", "label"], cursor=second.next or "", limit=3, total=True)

        assert (len(asked), len(counted)) == (1, 2)
        assert (second.total, third.total) == (None, len(ROWS))

    @pytest.mark.parametrize(
        ("order", "begins"),
        [
            (["-litres"], '("toy_kettle"."litres", "toy_kettle"."id") < (2, '),
            (["-litres", "pk"], '("toy_kettle"."litres" <= 2 AND ('),  # of two directions
        ],
    )
    def test_begins_where_an_index_can_begin(self, kettles: QuerySet[Kettle], order: list[str], begins: str) -> None:
        first = page(kettles, order=order, limit=3)

        with CaptureQueriesContext(connection) as asked:
            page(kettles, order=order, cursor=first.next or "")

        assert f"WHERE {begins}" in asked[0]["sql"]

    @pytest.mark.parametrize("cursor", ["x", "x:y", "\0", "W10:x", "é" * 5_000, "\ud800"])
    def test_knows_what_is_no_cursor(self, kettles: QuerySet[Kettle], cursor: str) -> None:
        with pytest.raises(CursorUnknown):
            page(kettles, order=["pk"], cursor=cursor)

    def test_takes_no_cursor_of_another_list_or_order(self, kettles: QuerySet[Kettle]) -> None:
        cursor = page(kettles, order=["pk"], limit=1).next or ""

        for rows, order, of in ((kettles, "-pk", ""), (kettles, "pk", "of 7"), (User.objects.all(), "pk", "")):
            with pytest.raises(CursorUnknown):
                page(rows, order=[order], cursor=cursor, of=of)

    def test_has_a_cursor_that_goes_into_an_address_as_it_is(self, kettles: QuerySet[Kettle]) -> None:
        Kettle.objects.update(label="äöü/?&=%+ \"'" * 4)
        rows = kettles.annotate(same=Value(1))

        (first, *_) = pages(rows, "label", "same")

        assert (first.next or "").replace(":", "").replace("-", "").replace("_", "").isalnum()


class Pot(BaseModel):
    label: str


class Wanted(Paged):
    litres: int | None = None


def asked(query: str) -> Any:
    interface = NinjaAPI(urls_namespace=f"paging{query}")

    @interface.get("/pots/", response=Page[Pot])
    def pots(request: HttpRequest, response: HttpResponse, wanted: Annotated[Wanted, Query()]) -> Page[Pot]:
        rows = Kettle.objects.filter(litres=wanted.litres) if wanted.litres else Kettle.objects.all()
        found = page(rows, order=["label"], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
        return found.shown(lambda kettle: Pot(label=kettle.label)).told(request, response)

    return TestClient(interface)


class TestAnswer:
    @pytest.mark.usefixtures("kettles")
    def test_holds_the_rows_and_where_it_goes_on(self) -> None:
        client = asked("")

        told = client.get("/pots/?litres=1&limit=2&total=true").json()

        assert (told["items"], told["total"]) == ([{"label": "a"}, {"label": "a"}], 3)
        last = client.get(f"/pots/?litres=1&limit=2&cursor={told['next']}")
        assert last.json() == {"items": [{"label": "c"}], "next": None, "total": None}
        assert "Link" not in last.headers

    def test_links_to_the_page_that_follows(self) -> None:
        request = RequestFactory().get("/api/v1/pots/?search=a+b&cursor=old:one&limit=2")
        response = HttpResponse()

        Page[Any](items=[], next="new:one").told(request, response)

        assert response["Link"] == '</api/v1/pots/?search=a+b&cursor=new%3Aone&limit=2>; rel="next"'

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "total=perhaps"])
    def test_is_refused_for_what_makes_no_sense(self, query: str) -> None:
        assert asked(query).get(f"/pots/?{query}").status_code == 422
