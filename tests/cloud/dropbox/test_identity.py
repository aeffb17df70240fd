"""Whose account a token opens, as far as Dropbox's answer can be stored; and what connecting can meet."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud import errors
from cloud.dropbox.identity import identify
from cloud.dropbox.oauth import exchange_code
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from core.base.errors import RunsheetError
from tests.cloud.dropbox.conftest import TOKEN
from tests.dropbox_standin.clients import raw_call

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

ACCOUNT = "users/get_current_account"
REFRESH = "standin-refresh-olivia"


@pytest.fixture
def told(dropbox: "Standin") -> dict[str, Any]:
    """What Dropbox says of Olivia."""
    answer = raw_call(dropbox, ACCOUNT, data="null", headers={"Content-Type": "application/json"})
    account: dict[str, Any] = answer.json()
    return account


class TestIdentify:
    @pytest.mark.parametrize(
        "changed",
        [
            {"account_id": "dbid:short"},
            {"account_id": "dbid:" + "\x00" * 35},
            {"account_id": "d" * 40},
            {"root_info": {".tag": "user", "root_namespace_id": "9" * 41, "home_namespace_id": "1"}},
            {"root_info": {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "9" * 41}},
            {"root_info": {".tag": "user", "root_namespace_id": "1"}},
            {"root_info": {}},
            {"root_info": None},
            {"name": {}},
            {"name": "Olivia"},
            {"email": 7},
            {"email": None},
            {"team": {"id": "x"}},
        ],
        ids=str,
    )
    def test_takes_nobody_for_somebody(self, dropbox: "Standin", told: dict[str, Any], changed: dict[str, Any]) -> None:
        dropbox.fault(ACCOUNT, status=200, body=told | changed)

        with pytest.raises(RunsheetError) as caught:
            identify(access_token="sl.any")

        assert type(caught.value) is errors.DropboxUnavailable

    @pytest.mark.django_db
    def test_gives_what_can_be_stored_of_what_is_odd(
        self, dropbox: "Standin", told: dict[str, Any], olivia: User
    ) -> None:
        name = told["name"] | {"display_name": "O\x00\ud800" + "x" * 9_000}
        root = told["root_info"] | {".tag": "hologram"}
        odd = told | {"name": name, "email": "e" * 9_000, "root_info": root}
        dropbox.fault(ACCOUNT, status=200, body=odd)

        connect_account(user=olivia, refresh_token=REFRESH)

        kept = DropboxAccount.objects.get()
        assert (kept.display_name[:4], len(kept.display_name), len(kept.email)) == ("O\ufffd\ufffdx", 255, 254)


@pytest.mark.django_db
class TestConnecting:
    """What Dropbox says when a code is to become tokens."""

    @pytest.mark.parametrize(
        ("error", "said", "kind", "sentence"),
        [
            ("invalid_grant", "redirect_uri mismatch", errors.RedirectRefused, "redirect URIs"),
            ("invalid_grant", "code doesn't exist or has expired", errors.CodeRefused, "too old"),
            ("invalid_grant", "code has already been used", errors.CodeRefused, "used already"),
            ("invalid_grant", "invalid code verifier", errors.CodeRefused, "does not accept"),
            ("invalid_grant", None, errors.CodeRefused, "does not accept"),
            ("invalid_client", "Invalid client_id or client_secret", errors.AppRefused, "DROPBOX_APP_KEY"),
            ("unauthorized_client", "", errors.AppRefused, "DROPBOX_APP_KEY"),
            ("invalid_request", "This app is currently disabled.", errors.AppDisabled, "disabled"),
            ("invalid_request", "This app has reached its user limit.", errors.AppFull, "limit of users"),
            ("invalid_request", 'No "client_id"', errors.DropboxRefused, "refuses"),
            ("invalid_scope", "", errors.DropboxRefused, "refuses"),
            ("temporarily_unavailable", "", errors.DropboxUnavailable, "could not be reached"),
        ],
    )
    def test_has_a_sentence_for_it(
        self, dropbox: "Standin", error: str, said: str | None, kind: type[RunsheetError], sentence: str
    ) -> None:
        dropbox.fault(TOKEN, status=400, body={"error": error, "error_description": said})

        with pytest.raises(RunsheetError, match=sentence) as caught:
            exchange_code(code="a-code", verifier="v" * 43, redirect_uri="http://127.0.0.1:8000/dropbox/callback/")

        assert type(caught.value) is kind
        assert caught.value.evidence.get("text", "") == (said or "")

    @pytest.mark.parametrize("text", ['Invalid client_id: "x"', 'Invalid app key "x"'])
    def test_may_be_told_so_in_plain_text(self, dropbox: "Standin", text: str) -> None:
        dropbox.fault(TOKEN, status=400, body=text)

        with pytest.raises(errors.AppRefused):
            exchange_code(code="a-code", verifier="v" * 43, redirect_uri="http://127.0.0.1/")

    @pytest.mark.parametrize("refresh_token", ["", None, 7, "a b", "\x00"])
    def test_needs_a_token_that_lasts(self, dropbox: "Standin", refresh_token: object) -> None:
        """Without it the connection would end after four hours."""
        body = {"access_token": "sl.1", "expires_in": 14_400, "refresh_token": refresh_token}
        dropbox.fault(TOKEN, status=200, body=body)

        with pytest.raises(errors.DropboxUnavailable):
            exchange_code(code="a-code", verifier="v" * 43, redirect_uri="http://127.0.0.1/")

    def test_does_not_tell_the_secrets_that_it_sent(self, dropbox: "Standin", settings: Settings) -> None:
        settings.DROPBOX_APP_SECRET = "a-secret-of-the-app"
        dropbox.fault(TOKEN, status=400, body="a-code-of-olivia with a-secret-of-the-app is wrong")

        with pytest.raises(errors.DropboxUnavailable) as caught:
            exchange_code(code="a-code-of-olivia", verifier="v" * 43, redirect_uri="http://127.0.0.1/")

        assert caught.value.evidence["text"] == "[redacted] with [redacted] is wrong"
