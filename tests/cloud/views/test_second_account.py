"""Another Dropbox account for somebody who has one."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django.fixtures import Settings

from cloud import oauth_session
from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from core.base import clock
from tests.cloud.views.conftest import HERE, LEASES, connect, explained, is_worth_nothing

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def held_token(browser: Client) -> str:
    found = oauth_session.replacement(browser.session)
    assert found
    return found.authorisation.grant.refresh_token


def too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(seconds=oauth_session.REPLACEMENT_LASTS_S + 1)
    monkeypatch.setattr(oauth_session, "shared_now", lambda: later)


class TestWhatIsNotStored:
    """Nobody could revoke it later, so it is given back."""

    @pytest.fixture
    def token(self, browser: Client) -> str:
        """Of the second account, which waits for the person's word."""
        connect(browser)
        connect(browser, account="paul", next_path=LEASES)
        return held_token(browser)

    def test_because_another_came_after_it(self, browser: Client, token: str, dropbox: "Standin") -> None:
        connect(browser, account="ivan")

        assert is_worth_nothing(token, dropbox)
        assert not is_worth_nothing(held_token(browser), dropbox)

    def test_because_the_same_came_again(self, browser: Client, token: str, dropbox: "Standin") -> None:
        connect(browser, account="paul")

        assert is_worth_nothing(token, dropbox)
        assert not is_worth_nothing(held_token(browser), dropbox)

    @pytest.mark.parametrize("decision", ["keep", "replace"])
    def test_because_the_word_came_too_late(
        self, browser: Client, token: str, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch, decision: str
    ) -> None:
        too_late(monkeypatch)

        browser.post("/dropbox/replace/", {"decision": decision})

        assert is_worth_nothing(token, dropbox)
        assert DropboxAccount.objects.get().display_name == "Olivia Operator"

    def test_because_no_word_came_in_time(
        self, browser: Client, token: str, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        too_late(monkeypatch)

        browser.get(HERE)

        assert is_worth_nothing(token, dropbox)

    def test_because_the_person_logs_out(self, browser: Client, token: str, dropbox: "Standin") -> None:
        assert browser.post("/admin/logout/").status_code == 200

        assert is_worth_nothing(token, dropbox)

    def test_is_not_given_back_twice(self, browser: Client, token: str, dropbox: "Standin") -> None:
        browser.post("/dropbox/replace/", {"decision": "keep"})
        dropbox.clear_journal()

        browser.get(HERE)
        browser.post("/admin/logout/")

        assert dropbox.calls() == {}

    def test_is_lost_with_the_key_and_the_log_says_so(
        self, browser: Client, token: str, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert browser.post("/admin/logout/").status_code == 200

        assert "it cannot be given back" in caplog.text

    def test_does_not_stand_in_the_way_of_a_page_when_the_key_is_none(
        self, browser: Client, token: str, settings: Settings
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = ["abc"]

        assert browser.get(HERE).status_code == 200


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
        too_late(monkeypatch)

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
        token = held_token(browser)
        assert len(token) > 40
        assert token not in str(session.get_decoded())

    def test_asks_also_when_the_first_has_ended(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        DropboxAccount.objects.update(needs_reconnect_reason="It has ended.", access_token="")
        dropbox.revoke("olivia")
        connect(browser, account="paul")

        browser.post("/dropbox/replace/", {"decision": "replace"})

        assert DropboxAccount.objects.get(user=olivia).display_name == "Paul Partner"


class TestTheSameAccountAgain:
    def test_ends_the_grant_that_it_replaces(
        self, browser: Client, olivia: User, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        connect(browser)
        first = DropboxAccount.objects.get().refresh_token

        connect(browser)

        second = DropboxAccount.objects.get().refresh_token
        assert second != first
        assert is_worth_nothing(first, dropbox)
        assert not is_worth_nothing(second, dropbox)
        assert gateway_for(olivia).list_directory(path="") is not None
        assert "an earlier grant was revoked: True" in caplog.text

    def test_is_stored_when_the_earlier_grant_cannot_be_ended(
        self, browser: Client, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        connect(browser)
        first = DropboxAccount.objects.get().refresh_token
        dropbox.fault("auth/token/revoke", status=503, times=5)

        connect(browser)

        assert DropboxAccount.objects.get().refresh_token != first
        assert not is_worth_nothing(first, dropbox)
        assert "an earlier grant was revoked: False" in caplog.text

    def test_leaves_the_grant_of_another_person_alone(
        self, browser: Client, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        oscar = django_user_model.objects.create_superuser("oscar")
        connect_account(user=oscar, refresh_token="standin-refresh-olivia")
        connect(browser)

        connect(browser)

        assert gateway_for(oscar).list_directory(path="") is not None

    def test_keeps_a_grant_that_is_the_same(self, olivia: User, dropbox: "Standin") -> None:
        for _ in range(2):
            connect_account(user=olivia, refresh_token="standin-refresh-olivia")

        assert "auth/token/revoke" not in dropbox.calls()
        assert gateway_for(olivia).list_directory(path="") is not None
