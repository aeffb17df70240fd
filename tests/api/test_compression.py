"""Answers to programs are sent compressed."""

import gzip
from typing import Any

import brotli
import pytest
import zstandard
from django.contrib.auth.models import User
from django.test import Client

from tests.api import pots
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.pots")]

UNPACK = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
    "": lambda sent: sent,
}
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def asking(client: Client, olivia: User) -> Client:
    Kettle.objects.bulk_create(Kettle(label=f"Copper {n}", due_at=None) for n in range(60))
    client.force_login(olivia)
    return client


def get(client: Client, coding: str, address: str = pots.ADDRESS, **headers: str) -> Any:
    return client.get(address, headers={"Accept-Encoding": coding, **OUR_PAGE, **headers})


class TestCompress:
    @pytest.mark.parametrize(
        ("liked", "coding"),
        [
            ("gzip", "gzip"),
            ("br", "br"),
            ("zstd", "zstd"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip;q=1.0, br;q=0.9, zstd;q=0.1", "gzip"),
            ("GZIP ; q=0.5, identity;q=0.4", "gzip"),
            ("*", "zstd"),
            ("zstd;q=0, *;q=0.3", "br"),
            ("", ""),
            ("deflate, compress", ""),
            ("identity, gzip;q=0.5", ""),
            ("gzip;q=0, br;q=0.000", ""),
            ("gzip;q=very", ""),
            ("*;q=0", ""),
        ],
    )
    def test_takes_what_is_liked_best(self, asking: Client, liked: str, coding: str) -> None:
        plain, answer = get(asking, "identity"), get(asking, liked)

        assert answer.headers.get("Content-Encoding", "") == coding
        assert UNPACK[coding](answer.content) == plain.content
        assert int(answer["Content-Length"]) == len(answer.content)
        assert (len(answer.content) < len(plain.content) / 2) is bool(coding)
        assert "Accept-Encoding" in answer["Vary"]
        assert "Accept-Encoding" in plain["Vary"]

    def test_leaves_alone_what_is_short_or_no_json_or_a_page(self, asking: Client) -> None:
        for address in (f"{pots.ADDRESS}?none", "/api/test/lid/", "/admin/login/"):
            Kettle.objects.all().delete()

            assert "Content-Encoding" not in get(asking, "gzip", address)

    def test_takes_refusals_that_are_long(self, asking: Client) -> None:
        answer = asking.post(
            "/api/v1/index/rebuild/",
            {f"unknown {n}": n for n in range(30)},
            content_type="application/json",
            headers={"Accept-Encoding": "br", **OUR_PAGE},
        )

        assert (answer.status_code, answer["Content-Encoding"]) == (422, "br")
        assert b"unknown 19" in brotli.decompress(answer.content)

    @pytest.mark.parametrize("site", [None, "cross-site", "same-site"])
    def test_leaves_alone_what_another_site_can_make_a_browser_ask(self, asking: Client, site: str | None) -> None:
        headers = {"Accept-Encoding": "gzip"} | ({"Sec-Fetch-Site": site} if site else {})

        assert "Content-Encoding" not in asking.get(pots.ADDRESS, headers=headers)
        assert "Content-Encoding" in asking.get(pots.ADDRESS, headers={**headers, "Authorization": "Bearer x"})

    def test_gives_each_coding_an_etag_of_its_own_that_is_a_strong_one(self, asking: Client) -> None:
        wish = {"label": "Tin", "text": "a" * 2_000}

        answer = asking.post(
            pots.ADDRESS, wish, content_type="application/json", headers={"Accept-Encoding": "br", **OUR_PAGE}
        )

        assert answer["Content-Encoding"] == "br"
        assert answer["ETag"].endswith('+br"')
        assert answer["ETag"].startswith('"')
