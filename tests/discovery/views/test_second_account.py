"""Another Dropbox account for somebody who has one."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django.fixtures import Settings

from core import clock
from discovery import attempts
from discovery.dropbox import gateway_for
from discovery.models import DropboxAccount
from tests.discovery.views.conftest import HERE, LEASES, connect, explained, is_worth_nothing

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestASecondAccount:
    def test_asks_before_it_replaces(self, browser: Client, olivia: User) -> None:
        connect(browser)

        page = browser.get(connect(browser, account="paul", next_path=LEASES)["Location"]).text

        assert "Use another Dropbox account?" in page
        assert "Paul Partner" in page
        assert DropboxAccount.objects.get(user=olivia).display_name == "Olivia Operator"

    def test_replaces_when_told_so_and_revokes_what_it_replaced(
        self, browser: Client, olivia: User, dropbox: "Standin"
    ) -> None:
        connect(browser)
        old = DropboxAccount.objects.get(user=olivia)
        connect(browser, account="paul", next_path=LEASES)

        answer = browser.post("/dropbox/replace/", {"decision": "replace"})

        assert answer["Location"] == LEASES
        assert DropboxAccount.objects.get(user=olivia).display_name == "Paul Partner"
        assert gateway_for(olivia).list_directory(path="") is not None
        assert is_worth_nothing(old.refresh_token, dropbox)

    def test_stays_when_told_so_and_gives_the_new_tokens_back(
        self, browser: Client, olivia: User, dropbox: "Standin"
    ) -> None:
        connect(browser)
        connect(browser, account="paul", next_path=LEASES)

        answer = browser.post("/dropbox/replace/", {"decision": "keep"})

        assert answer["Location"] == LEASES
        assert DropboxAccount.objects.get(user=olivia).display_name == "Olivia Operator"
        assert dropbox.calls()["auth/token/revoke"] == 1
        assert gateway_for(olivia).list_directory(path="") is not None

    def test_replaces_only_once(self, browser: Client, olivia: User) -> None:
        connect(browser)
        connect(browser, account="paul")
        browser.post("/dropbox/replace/", {"decision": "replace"})

        assert "Nothing waits" in explained(browser, browser.post("/dropbox/replace/", {"decision": "replace"}))

    def test_does_not_wait_for_ever(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(browser)
        connect(browser, account="paul")
        later = clock.now() + timedelta(seconds=attempts.REPLACEMENT_LASTS_S + 1)
        monkeypatch.setattr(attempts, "now", lambda: later)

        assert "Use another Dropbox account?" not in browser.get(HERE).text
        assert "Nothing waits" in explained(browser, browser.post("/dropbox/replace/", {"decision": "replace"}))

    def test_is_forgotten_when_the_keys_change(self, browser: Client, settings: Settings) -> None:
        connect(browser)
        connect(browser, account="paul")
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert "Use another Dropbox account?" not in browser.get(HERE).text

    def test_lies_encrypted_until_then(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(browser)
        connect(browser, account="paul")

        (session,) = Session.objects.all()
        found = attempts.replacement(browser.session)
        assert found
        token = found[0].grant.refresh_token
        assert len(token) > 40
        assert token not in str(session.get_decoded())

    def test_asks_also_when_the_first_has_ended(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        DropboxAccount.objects.update(needs_reconnect_reason="It has ended.", access_token="")
        dropbox.revoke("olivia")
        connect(browser, account="paul")

        browser.post("/dropbox/replace/", {"decision": "replace"})

        assert DropboxAccount.objects.get(user=olivia).display_name == "Paul Partner"
