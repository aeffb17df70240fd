"""What Dropbox granted and could not be stored: it is given back, and the page says so."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, OperationalError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from cloud import oauth_session
from cloud.models import DropboxAccount
from cloud.services import accounts as dropbox_accounts
from tests.cloud.views.conftest import begin, connect, consent, explained, is_worth_nothing
from tests.held import held_by_another_session
from tests.pooler import unpooled

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

FAILURES = [
    OperationalError("the server closed the connection"),
    DataError("value too long"),
    ValueError("A string literal cannot contain NUL (0x00) characters."),
    ImproperlyConfigured("TOKEN_ENCRYPTION_KEYS must hold at least one key."),
]


@pytest.fixture
def granted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The refresh tokens that Dropbox has issued."""
    tokens: list[str] = []
    authorise = dropbox_accounts.authorise

    def remember(**given: str) -> dropbox_accounts.Authorisation:
        authorisation = authorise(**given)
        tokens.append(authorisation.grant.refresh_token)
        return authorisation

    monkeypatch.setattr(dropbox_accounts, "authorise", remember)
    return tokens


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


class TestConnect:
    @pytest.mark.parametrize("error", FAILURES, ids=repr)
    def test_that_fails_is_explained_and_leaves_nothing_alive(
        self, browser: Client, dropbox: "Standin", granted: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(dropbox_accounts, "_store", failing(error))

        page = explained(browser, connect(browser))

        assert "stored" in page
        assert not DropboxAccount.objects.exists()
        assert is_worth_nothing(granted[0], dropbox)

    def test_without_a_key_that_is_one_leaves_nothing_alive(
        self, browser: Client, dropbox: "Standin", granted: list[str], settings: Settings
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = ["abc"]

        page = explained(browser, connect(browser))

        assert "TOKEN_ENCRYPTION_KEYS must hold" in page
        assert is_worth_nothing(granted[0], dropbox)

    def test_that_cannot_tell_whose_it_is_leaves_nothing_alive(
        self, browser: Client, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dropbox_accounts, "identify", failing(ImproperlyConfigured("It is not set up.")))

        explained(browser, connect(browser))

        assert dropbox.calls()["auth/token/revoke"] == 1

    def test_by_a_name_and_an_address_that_fit_nowhere_is_cut_to_what_fits(
        self, browser: Client, dropbox: "Standin"
    ) -> None:
        dropbox.create_account("odd", display_name="a\0b" + "c" * 300, email="x" * 300 + "@example.com")

        connect(browser, account="odd")

        account = DropboxAccount.objects.get()
        assert account.display_name == "a\ufffdb" + "c" * 252
        assert account.email == "x" * 254


class TestReplace:
    @pytest.mark.parametrize("error", FAILURES, ids=repr)
    def test_that_fails_is_explained_and_leaves_what_there_was(
        self, browser: Client, dropbox: "Standin", granted: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        connect(browser)
        connect(browser, account="paul")
        monkeypatch.setattr(dropbox_accounts, "_store", failing(error))

        explained(browser, browser.post("/dropbox/replace/", {"decision": "replace"}))

        assert is_worth_nothing(granted[1], dropbox)
        assert not is_worth_nothing(granted[0], dropbox)
        assert DropboxAccount.objects.get().display_name == "Olivia Operator"

    def test_that_cannot_be_asked_about_leaves_nothing_alive(
        self, browser: Client, dropbox: "Standin", granted: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(browser)
        connect(browser, account="paul")
        back = consent(begin(browser), account="ivan")
        save = SessionStore.save

        def fail_once_it_is_held(session: SessionStore, *given: bool) -> None:
            if (
                oauth_session.REPLACEMENT in session
                and oauth_session.ATTEMPT not in session
                and "dropbox_problem" not in session
            ):
                raise OperationalError("the server closed the connection")
            save(session, *given)

        taken = oauth_session.take_replacement

        def take(session: SessionStore) -> oauth_session.Replacement | None:
            monkeypatch.setattr(SessionStore, "save", fail_once_it_is_held)
            return taken(session)

        monkeypatch.setattr("cloud.views.take_replacement", take)

        explained(browser, browser.get(back))

        assert oauth_session.REPLACEMENT not in browser.session
        assert is_worth_nothing(granted[1], dropbox)
        assert is_worth_nothing(granted[2], dropbox)


@pytest.mark.django_db(transaction=True)
class TestWhileAccountIsHeld:
    @unpooled
    def test_is_explained_and_leaves_nothing_alive(
        self, browser: Client, olivia: User, dropbox: "Standin", granted: list[str]
    ) -> None:
        connect(browser)
        back = consent(begin(browser))
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")

        with held_by_another_session(DropboxAccount, DropboxAccount.objects.get().pk):
            page = explained(browser, browser.get(back))

        connection.close()  # and with it the short wait
        assert "is being renewed at this moment" in page
        assert is_worth_nothing(granted[1], dropbox)
        assert not is_worth_nothing(granted[0], dropbox)


@pytest.mark.django_db(transaction=True)
class TestWhileDatabaseRestarts:
    def test_is_explained_by_another_connection_and_leaves_nothing_alive(
        self, browser: Client, dropbox: "Standin", granted: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = dropbox_accounts._store

        def store_without_connection(account: DropboxAccount) -> None:
            assert connection.connection
            connection.connection.close()
            store(account)

        monkeypatch.setattr(dropbox_accounts, "_store", store_without_connection)

        page = explained(browser, connect(browser))

        assert "could not be stored here, and was given back" in page
        assert is_worth_nothing(granted[0], dropbox)
