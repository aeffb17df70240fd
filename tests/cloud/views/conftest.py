"""The way to Dropbox and back, as a browser goes it: every redirect and every form between console and stand-in."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

    from dropbox_standin.client import Standin

HERE = "/dropbox/"
LEASES = "/admin/leases/lease/"


@pytest.fixture
def browser(olivia: User, client: Client, dropbox: "Standin", settings: Settings) -> Client:
    settings.CONSOLE_URL = "http://testserver"
    client.force_login(olivia)
    return client


def begin(browser: Client, *, next_path: str = "") -> str:
    """The address at Dropbox that the button leads to."""
    answer = browser.post("/dropbox/connect/", {"next": next_path})
    assert answer.status_code == 302
    return str(answer["Location"])


def consent(address: str, *, account: str = "olivia", decision: str = "allow", **changes: str) -> str:
    """Answer Dropbox's page; where it sends the browser back to, without the console's host."""
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query)) | changes
    form = {**asked, "account": account, "decision": decision}
    page = requests.post(f"{parts.scheme}://{parts.netloc}{parts.path}", data=form, allow_redirects=False, timeout=10)
    assert page.status_code == 302, page.text
    back = page.headers["Location"]
    assert back.startswith("http://testserver/dropbox/callback/?")
    return back.removeprefix("http://testserver")


def connect(browser: Client, *, account: str = "olivia", next_path: str = "") -> "Response":
    return browser.get(consent(begin(browser, next_path=next_path), account=account))


def explained(browser: Client, answer: "Response") -> str:
    """The page that the answer leads to, which explains and offers to try again."""
    assert answer.status_code == 302, answer.content
    page = browser.get(answer["Location"])
    assert page.status_code == 200
    assert "Dropbox was not connected" in page.text
    assert ">Try again</button>" in page.text
    return page.text


def is_worth_nothing(refresh_token: str, dropbox: "Standin") -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": "standin-app"}
    return requests.post(f"{dropbox.base_url}/oauth2/token", data=form, timeout=10).status_code == 400
