"""The whole life of a Dropbox connection over HTTP: console, workers, reconciler and stand-in are programs of their own."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection

from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from console.models import FailureNotice
from leases.models import Lease
from tests.live import BLM, PASSWORD, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "oauth2/token"
AT_ONCE = 16


class Form:
    """What a form of a page would send, and where."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}


class Forms(HTMLParser):
    """The forms of a page that are sent by POST."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._button: tuple[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values.get("action", "")))
        elif tag == "button":
            self._button = values.get("name", ""), values.get("value", "")
        elif tag == "input" and values.get("type") == "submit":
            self.found[-1].buttons[values["value"]] = values.get("name", ""), values["value"]
        elif tag == "input" and self.found and (values.get("type") != "radio" or "checked" in values):
            self.found[-1].fields[values.get("name", "")] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._button and self.found:
            self.found[-1].buttons[data.strip()] = self._button
            self._button = None


class Visitor:
    """A person who reads pages and presses buttons; no test client, no short cut."""

    def __init__(self, system: System) -> None:
        self._http = requests.Session()
        self._console = system.url
        self.page = ""
        self.url = ""

    def visit(self, path: str) -> str:
        """Open a page of the console."""
        return self._see(self._http.get(self._console + path, timeout=30))

    def press(self, button: str, **filled: str) -> str:
        """Fill in the form that has this button, and press it."""
        form = next(form for form in Forms(self.page).found if button in form.buttons)
        name, value = form.buttons[button]
        sent = form.fields | filled | ({name: value} if name else {})
        address = urljoin(self.url, form.action)
        return self._see(self._http.post(address, data=sent, headers={"Referer": self.url}, timeout=30))

    def connect_dropbox(self, *, account: str = "olivia", button: str = "Connect Dropbox") -> str:
        """From the button to Dropbox's question and back."""
        self.press(button)
        assert "would like access to your Dropbox" in self.page
        return self.press("Allow", account=account)

    def add_lease(self, number: str) -> Lease:
        self.visit("/admin/leases/lease/add/")
        self.press("Save", agency="BLM", lease_number=number)
        return Lease.objects.get(lease_number=number)

    def _see(self, answer: requests.Response) -> str:
        assert answer.ok, (answer.url, answer.status_code, answer.text[:500])
        self.page, self.url = answer.text, answer.url
        return self.page


@pytest.fixture
def visitor(system: System, person: User, dropbox: "Standin") -> Iterator[Visitor]:
    """Olivia, logged in by name and password."""
    visitor = Visitor(system)
    visitor.visit("/admin/")
    visitor.press("Log in", username=person.username, password=PASSWORD)
    assert "Log out" in visitor.page
    yield visitor
    visitor._http.close()


def is_in(state: str, *leases: Lease) -> bool:
    found = Lease.objects.filter(pk__in=[lease.pk for lease in leases], state=state, due_at__isnull=True)
    return found.count() == len(leases)


def look_at_once(user: User) -> None:
    """So many workers need the same account at the same moment."""
    together = threading.Barrier(AT_ONCE)

    def look(_: int) -> None:
        try:
            gateway = gateway_for(user)
            together.wait(30)
            gateway.list_directory(path=BLM)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert len(list(pool.map(look, range(AT_ONCE)))) == AT_ONCE


class TestAccountLife:
    def test_connects_keeps_loses_and_regains(
        self, visitor: Visitor, person: User, dropbox: "Standin", system: System
    ) -> None:
        numbers = [f"NMNM {number}" for number in range(1, 4)]
        dropbox.put(*(f"{BLM}/{number}/{number} Master Documents.pdf" for number in numbers))

        # Connect, from the start page.
        assert "Connect your Dropbox, in which the archives lie" in visitor.page
        visitor.visit("/dropbox/?next=/admin/leases/lease/")
        visitor.connect_dropbox()
        assert visitor.url == f"{system.url}/admin/leases/lease/"
        assert "Dropbox is connected as Olivia Operator." in visitor.page
        facts = visitor.visit("/dropbox/")
        assert all(fact in facts for fact in ("Olivia Operator", "olivia@example.com", "sharing.write", "Team space"))
        first = visitor.add_lease(numbers[0])
        await_that(lambda: is_in("done", first), within_s=30)

        # Keep.
        dropbox.expire_tokens("olivia")
        dropbox.clear_journal()
        look_at_once(person)
        assert dropbox.calls()[TOKEN] == 1

        # Lose.
        dropbox.revoke("olivia")
        lost = [visitor.add_lease(number) for number in numbers[1:]]
        await_that(lambda: is_in("failed", *lost), within_s=30)
        assert {lease.failure_code for lease in Lease.objects.filter(state="failed")} == {"connect_dropbox"}
        await_that(lambda: not FailureNotice.objects.filter(due_at__isnull=False).exists(), within_s=30)
        (mail,) = system.mails()
        assert "To: olivia@example.com" in mail
        assert "Dropbox has ended this connection. Connect your Dropbox account again" in mail
        for page in ("/admin/", "/admin/leases/lease/", f"/admin/leases/lease/{first.pk}/change/"):
            assert visitor.visit(page).count("Your Dropbox cannot be used.") == 1
        assert "2 leases that you started</a> wait for it." in visitor.page
        assert ">Reconnect</h2>" in visitor.visit("/dropbox/")

        # Regain.
        visitor.connect_dropbox(button="Connect Dropbox again")
        assert "2 leases that waited for it start again." in visitor.page
        await_that(lambda: is_in("done", first, *lost), within_s=30)
        assert "Your Dropbox cannot be used." not in visitor.visit("/admin/")
        assert len(system.mails()) == 1

        # Give up.
        visitor.visit("/dropbox/disconnect/")
        assert "No lease is being worked on with it at this moment." in visitor.page
        visitor.press("Disconnect Olivia Operator")
        assert "Olivia Operator is disconnected" in visitor.page
        assert "could not be told" not in visitor.page
        assert not DropboxAccount.objects.exists()

    def test_asks_before_another_account_replaces_it(self, visitor: Visitor, person: User, dropbox: "Standin") -> None:
        dropbox.create_account("second", display_name="Second Account", email="second@example.com")
        visitor.visit("/dropbox/")
        visitor.connect_dropbox()

        visitor.connect_dropbox(account="second", button="Connect Dropbox again")
        assert "Use another Dropbox account?" in visitor.page
        visitor.press("Stay with Olivia Operator")
        assert DropboxAccount.objects.get().display_name == "Olivia Operator"

        visitor.visit("/dropbox/")
        visitor.connect_dropbox(account="second", button="Connect Dropbox again")
        visitor.press("Use Second Account from now on")
        assert DropboxAccount.objects.get().display_name == "Second Account"
        assert gateway_for(person).list_directory(path="") is not None

    def test_explains_a_no_an_old_answer_and_a_forged_one(self, visitor: Visitor, dropbox: "Standin") -> None:
        visitor.visit("/dropbox/")
        visitor.press("Connect Dropbox")
        visitor.press("Deny")
        assert "You did not allow Runsheet to use your Dropbox" in visitor.page

        visitor.press("Try again")
        answer = visitor._http.post(
            visitor.url.partition("?")[0],
            data=Forms(visitor.page).found[0].fields | {"decision": "allow"},
            allow_redirects=False,
            timeout=30,
        )
        back = answer.headers["Location"].removeprefix(visitor._console)
        assert "Dropbox is connected" in visitor.visit(back)
        for path in (back, "/dropbox/callback/?state=forged&code=forged", "/dropbox/callback/"):
            assert "does not belong to anything that you have begun" in visitor.visit(path)
            assert ">Try again</button>" in visitor.page
        assert DropboxAccount.objects.count() == 1

    def test_disconnects_although_dropbox_is_away(self, visitor: Visitor, dropbox: "Standin") -> None:
        visitor.visit("/dropbox/")
        visitor.connect_dropbox()
        dropbox.fault("*", status=503, times=20)

        visitor.visit("/dropbox/disconnect/")
        visitor.press("Disconnect Olivia Operator")

        assert "Dropbox could not be told." in visitor.page
        assert not DropboxAccount.objects.exists()
