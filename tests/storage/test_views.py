"""Addresses of our own that open one file for a while."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.signing import dumps
from django.test import Client
from pytest_django.fixtures import Settings

from core.base import clock
from storage.backends import documents, signed
from storage.backends.errors import Denied
from storage.backends.signed import NotSigned, opened


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Settings) -> Path:
    options = {"directory": str(tmp_path / "documents"), "is_made": True}
    documents_ = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"documents": documents_}
    return tmp_path / "documents"


def address(key: str = "17/page.html", seconds: int = 60) -> str:
    made = documents().sign(key, seconds=seconds, name="Page.html")
    return made[made.index("/files/") :]


class TestStoredFile:
    def test_is_for_whoever_has_the_address_to_be_kept_and_not_shown(self, client: Client) -> None:
        documents().put("17/page.html", [b"<script>alert(1)</script>"])

        answer = client.get(address())

        assert answer.getvalue() == b"<script>alert(1)</script>"
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"] == 'attachment; filename="Page.html"'
        assert answer["Content-Length"] == "25"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert (
            answer["Content-Security-Policy"] == "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert "no-store" in answer["Cache-Control"]

    def test_of_no_bytes_is_one(self, client: Client) -> None:
        documents().put("17/page.html", [])

        assert client.get(address()).getvalue() == b""

    def test_can_be_asked_about(self, client: Client) -> None:
        documents().put("17/page.html", [b"123"])

        answer = client.head(address())

        assert (answer.status_code, answer["Content-Length"]) == (200, "3")

    def test_takes_nothing(self, client: Client) -> None:
        assert client.post(address()).status_code == 405

    @pytest.mark.django_db
    def test_that_is_gone_is_not_found(self, client: Client) -> None:
        assert client.get(address()).status_code == 404

    @pytest.mark.django_db
    def test_is_not_opened_by_what_we_have_not_signed_for_it(self, client: Client) -> None:
        documents().put("17/page.html", [b"1"])

        for token in ("x", "a:b:c", dumps(["17/page.html", "x", 9e12], salt="another")):
            assert client.get(f"/files/{token}/").status_code == 404

    def test_in_a_place_that_is_gone_is_not_said_to_be_missing(self, client: Client, monkeypatch: Any) -> None:
        def denied(key: str) -> None:
            raise Denied

        monkeypatch.setattr(documents(), "stat", denied)

        answer = client.get(address())

        assert (answer.status_code, answer.text) == (503, Denied.sentence())


class TestOpened:
    def test_is_what_was_signed_until_its_time_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = clock.now()
        token = signed.signed(key="a", name="b", seconds=60)

        monkeypatch.setattr(clock, "now", lambda: made + timedelta(seconds=58))
        assert opened(token=token) == signed.Opening(key="a", name="b")

        monkeypatch.setattr(clock, "now", lambda: made + timedelta(seconds=61))
        with pytest.raises(NotSigned):
            opened(token=token)
