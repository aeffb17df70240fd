"""Whatever goes wrong below /api/, and whoever notices it: one problem as JSON, and no page."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from psycopg.errors import LockNotAvailable, QueryCanceled

from core.http import problems, refusals
from core.http.statements import AnswerInTime
from storage.services import IndexSyncService

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

REBUILD = "/api/v1/index/rebuild/"


def asked() -> HttpRequest:
    return RequestFactory().get(REBUILD)


def said(answer: Any) -> dict[str, Any]:
    assert answer is not None
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    found: dict[str, Any] = json.loads(answer.content)
    assert set(found) >= {"type", "title", "status", "detail", "code"}
    assert found["status"] == answer.status_code
    return found


def caused_by(cause: Exception) -> OperationalError:
    error = OperationalError("too long")
    error.__cause__ = cause
    return error


class TestProblem:
    @pytest.mark.parametrize(
        "address", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v1/index/rebuild", "/api/x.php"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_what_an_address_is_that_there_is_not(self, client: Client, method: str, address: str) -> None:
        answer = client.generic(method, address, "{}", content_type="application/json")

        assert (answer.status_code, said(answer)["code"]) == (404, "not_found")

    @pytest.mark.parametrize(("method", "address", "allowed"), [("GET", REBUILD, "POST"), ("PUT", REBUILD, "POST"), ("DELETE", "/api/v1/index/runs/1/", "GET")])  # fmt: skip
    def test_is_what_a_wrong_method_is(self, client: Client, method: str, address: str, allowed: str) -> None:
        answer = client.generic(method, address)

        assert (answer.status_code, answer["Allow"]) == (405, allowed)
        assert said(answer)["detail"] == f"Nothing was done: this address takes {allowed} only."

    def test_of_a_wrong_method_has_no_body_where_none_is_wanted(self, client: Client) -> None:
        answer = client.head(REBUILD)

        assert (answer.status_code, answer.content) == (405, b"")

    def test_is_what_a_host_is_that_is_not_ours(self, client: Client) -> None:
        answer = client.get(REBUILD, headers={"host": "elsewhere.example.com"})

        assert (answer.status_code, said(answer)["code"]) == (400, "bad_request")

    @pytest.mark.parametrize("is_in_development", [False, True])
    @pytest.mark.parametrize("query", ["wait=%00", "%00=1", "wait=%FF%FE", "wait=%ED%A0%80", "%C3=1"])
    def test_is_what_no_text_is(self, client: Client, settings: Any, query: str, is_in_development: bool) -> None:
        settings.DEBUG = is_in_development

        answer = client.get(f"{REBUILD}?{query}")

        assert (answer.status_code, said(answer)["code"]) == (400, "bad_request")

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (caused_by(QueryCanceled()), "too_slow"),
            (caused_by(LockNotAvailable()), "in_the_way"),
            (OperationalError("connection to server failed: gone"), "outage"),
        ],
    )
    def test_is_what_the_database_keeps_us_from(self, error: Exception, code: str) -> None:
        answer = AnswerInTime(lambda _: HttpResponse()).process_exception(asked(), error)

        assert (said(answer)["status"], said(answer)["code"]) == (503, code)

    def test_is_what_a_bug_is(
        self, client: Client, olivia: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        """In development as well, where the library would send a traceback."""
        monkeypatch.setattr(IndexSyncService, "start", lambda *_, **__: 1 / 0)
        client.force_login(olivia)
        client.raise_request_exception = False

        answer = client.generic("POST", REBUILD)

        assert (answer.status_code, said(answer)["code"]) == (500, "broken")
        assert "ZeroDivisionError" not in answer.text

    def test_is_what_other_refusals_are(self) -> None:
        assert said(refusals.permission_denied(asked(), PermissionDenied("Not you.")))["detail"] == "Not you."
        assert said(refusals.bad_request(asked(), SuspiciousOperation()))["status"] == 400
        assert said(refusals.forged(asked()))["code"] == "no_csrf_token"
        assert said(refusals.too_large(asked(), size=12_000_000, limit=11_000_000))["detail"] == (
            "Nothing was done: the body has 12.0 MB, and may have 11 MB."
        )

    def test_is_not_what_a_person_reads(self, client: Client) -> None:
        assert client.get("/nowhere/")["Content-Type"].startswith("text/html")

    def test_of_each_kind_says_what_is_wrong(self) -> None:
        for code, (status, sentence) in problems.KINDS.items():
            told = said(problems.of_kind(code))

            assert (told["status"], told["detail"]) == (status, sentence)
            assert sentence.endswith((".", "”."))
