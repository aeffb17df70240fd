"""What a program says of what it sends and takes."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.api import pots
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.pots")]

FITTING = [
    None, "", "*/*", "application/*", "application/json", "APPLICATION/JSON; charset=utf-8", "text/html, */*;q=0.1",
    "application/problem+json", "application/json;q=0.5, text/html", ", application/json,", "*/*;q=0, application/json",
    f"text/x; a*={'x' * 10_300}, */*",
]  # fmt: skip
OTHERS = [
    "text/html", "text/*, image/png", "application/xml", "application/json;q=0, application/problem+json;q=0, */*", "*/*;q=0", "json",
    "application/json;q=0, application/problem+json;q=0", f"application/json; a={'x' * 10_300}",
]  # fmt: skip


@pytest.fixture
def asking(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


def headers(accept: str | None) -> dict[str, str]:
    return {} if accept is None else {"Accept": accept}


def refused(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


class TestAccept:
    @pytest.mark.parametrize("accept", FITTING)
    def test_that_takes_json_is_answered(self, asking: Client, accept: str | None) -> None:
        assert asking.get(pots.ADDRESS, headers=headers(accept)).status_code == 200
        made = asking.post(pots.ADDRESS, {}, content_type="application/json", headers=headers(accept))
        assert made.status_code == 201

    @pytest.mark.parametrize("accept", OTHERS)
    def test_that_excludes_json_is_refused_before_anything_is_done(self, asking: Client, accept: str) -> None:
        assert refused(asking.get(pots.ADDRESS, headers=headers(accept))) == (406, "not_acceptable")
        made = asking.post(pots.ADDRESS, {}, content_type="application/json", headers=headers(accept))
        assert refused(made) == (406, "not_acceptable")
        assert not Kettle.objects.exists()

    def test_is_not_asked_of_what_is_no_json(self, asking: Client) -> None:
        assert asking.get("/api/test/lid/", headers=headers("text/plain")).status_code == 200
        assert asking.get("/", headers=headers("image/png")).status_code == 302

    def test_hides_no_refusal(self, asking: Client) -> None:
        assert refused(asking.get("/api/v1/nothing/", headers=headers("text/html"))) == (404, "not_found")


class TestContentEncoding:
    @pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity, gzip", "GZIP"])
    def test_of_a_body_is_refused(self, asking: Client, coding: str) -> None:
        answer = asking.post(
            pots.ADDRESS, b"\x1f\x8b", content_type="application/json", headers={"Content-Encoding": coding}
        )

        assert refused(answer) == (415, "body_coded")
        assert answer["Accept-Encoding"] == "identity"
        assert not Kettle.objects.exists()

    def test_that_is_none_is_taken(self, asking: Client) -> None:
        answer = asking.post(
            pots.ADDRESS, {}, content_type="application/json", headers={"Content-Encoding": "Identity"}
        )

        assert answer.status_code == 201

    def test_is_not_asked_of_pages(self, asking: Client) -> None:
        assert asking.get("/", headers={"Content-Encoding": "gzip"}).status_code == 302


class TestAnswer:
    def test_is_for_nobody_between(self, asking: Client) -> None:
        answer = asking.get(pots.ADDRESS)

        assert answer["Cache-Control"] == "private, no-cache"
        assert {"Accept", "Authorization", "Cookie"} <= {each.strip() for each in answer["Vary"].split(",")}

    def test_of_a_refusal_is_kept_by_nobody(self, asking: Client) -> None:
        assert asking.get("/api/v1/nothing/")["Cache-Control"] == "no-store"

    def test_to_a_head_is_what_a_get_gets_without_its_body(self, asking: Client) -> None:
        answer = asking.head("/api/v1/files/")

        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["Content-Type"] == asking.get("/api/v1/files/")["Content-Type"]
        assert asking.head("/api/v1/index/rebuild/").status_code == 405
