"""Each request has an id, which stands on its answer and in the lines of the log."""

import json
import logging
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from structlog.contextvars import get_contextvars

from core.http.request_ids import RequestIds
from core.ops.logs import Lines

logger = logging.getLogger("tests.request_ids")


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in caplog.text.splitlines()]


class TestRequestIds:
    @pytest.mark.parametrize("said", ["a", "7f1c-2.B_9", "x" * 64])
    def test_are_those_that_are_said(self, client: Client, said: str) -> None:
        assert client.get("/health/live", headers={"X-Request-ID": said})["X-Request-ID"] == said

    @pytest.mark.parametrize("said", ["", "x" * 65, "a b", "é", "a\nb", "a,b", "a/b"])
    def test_are_made_where_none_can_be_taken(self, client: Client, said: str) -> None:
        first, second = (client.get("/health/live", headers={"X-Request-ID": said})["X-Request-ID"] for _ in range(2))

        assert len(first) == len(second) == 32
        assert first != second

    @pytest.mark.django_db
    @pytest.mark.parametrize("address", ["/", "/nowhere/", "/api/v1/nothing/", "/api/v1/index/rebuild/", "/metrics"])
    def test_stand_on_every_answer(self, client: Client, address: str) -> None:
        assert client.get(address, headers={"X-Request-ID": "mine"})["X-Request-ID"] == "mine"

    @pytest.mark.django_db  # its end looks after connections, where an earlier test has left one
    def test_stand_in_all_lines_until_the_last_byte(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.handler.setFormatter(Lines(form="json"))

        def view(_request: HttpRequest) -> HttpResponse:
            logger.warning("within")
            return HttpResponse()

        request = RequestFactory().get("/", headers={"X-Request-ID": "mine"})
        response = RequestIds(view)(request)
        logger.warning("behind")
        response.close()
        logger.warning("later")

        said = {each["event"]: each.get("request_id") for each in logged(caplog)}
        assert said == {"within": "mine", "behind": "mine", "later": None}
        assert "request_id" not in get_contextvars()

    @pytest.mark.django_db
    def test_stand_in_what_django_says_of_an_answer(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.handler.setFormatter(Lines(form="json"))

        client.get("/nowhere/", headers={"X-Request-ID": "mine"})

        assert {each["request_id"] for each in logged(caplog) if each["logger"] == "django.request"} == {"mine"}
