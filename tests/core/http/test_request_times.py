"""Requests are counted by where they went and how they ended."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from redis import Redis

from core.base import redis_client
from core.http.request_times import TimeRequests
from core.ops import tally

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def none_yet(redis: Redis) -> None:
    redis_client._silent_until.clear()


def counted() -> dict[tuple[str, str], float]:
    """How many, by area and outcome."""
    found = tally.read().histograms["request_seconds"]
    return {(dict(of)["area"], dict(of)["outcome"]): sum(each.counts.values()) for of, each in found.items()}


def answering(status: int) -> Callable[[HttpRequest], HttpResponse]:
    return TimeRequests(lambda _: HttpResponse(status=status))


class TestTimeRequests:
    @pytest.mark.parametrize(
        ("address", "area"),
        [(f"/{settings.ADMIN_PATH}/login/", "console"), ("/api/v1/leases/", "api"), ("/share/x/", "other")],
    )
    def test_count_by_area(self, client: Client, address: str, area: str) -> None:
        client.get(address)

        assert [where for where, _ in counted()] == [area]

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (HTTPStatus.OK, "ok"),
            (HTTPStatus.FOUND, "ok"),
            (HTTPStatus.NOT_FOUND, "refused"),
            (HTTPStatus.INTERNAL_SERVER_ERROR, "error"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
        ],
    )
    def test_count_by_outcome(self, status: int, outcome: str) -> None:
        answering(status)(RequestFactory().get("/")).close()

        assert counted() == {("other", outcome): 1}

    def test_count_once_the_answer_is_sent(self) -> None:
        answer = answering(HTTPStatus.OK)(RequestFactory().get("/"))
        assert counted() == {}

        answer.close()

        assert counted() == {("other", "ok"): 1}

    @pytest.mark.parametrize("address", ["/health/live", "/static/console/none.css"])
    def test_leave_out_probes_and_files_of_the_pages(self, client: Client, address: str) -> None:
        client.get(address)

        assert counted() == {}

    def test_a_broken_page_is_an_error(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> HttpResponse:
            raise RuntimeError

        monkeypatch.setattr("console.shell.icon.icon.__code__", broken.__code__)
        client.raise_request_exception = False

        client.get("/favicon.ico")

        assert counted() == {("other", "error"): 1}
