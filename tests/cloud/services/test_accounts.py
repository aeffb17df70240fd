from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud import errors
from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from cloud.services import accounts as dropbox_accounts
from cloud.services.accounts import REQUIRED_SCOPES, connect_account, disconnect_account
from core.base.clock import now
from tests.cloud.dropbox.conftest import LINK, LINKS, LIST, TOKEN, union

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

ACCOUNT = "users/get_current_account"
OLIVIA, PAUL, IVAN = (f"standin-refresh-{name}" for name in ("olivia", "paul", "ivan"))


def connect(user: User, refresh_token: str = OLIVIA) -> DropboxAccount:
    return connect_account(user=user, refresh_token=refresh_token)


class TestConnectAccount:
    def test_keeps_whose_dropbox_it_is(self, olivia: User, dropbox: "Standin") -> None:
        connect(olivia)

        account = DropboxAccount.objects.get()
        assert (account.user, account.display_name, account.email) == (olivia, "Olivia Operator", "olivia@example.com")
        assert account.account_id.startswith("dbid:")
        assert account.refresh_token == OLIVIA
        assert account.has_valid_token(at=now())
        assert set(account.scopes) >= REQUIRED_SCOPES
        assert account.is_team_space

    def test_takes_two_calls(self, olivia: User, dropbox: "Standin") -> None:
        connect(olivia)

        assert dropbox.calls() == {TOKEN: 1, ACCOUNT: 1}

    def test_gives_what_is_stored(self, olivia: User, dropbox: "Standin") -> None:
        account = connect(olivia)

        assert account.pk == DropboxAccount.objects.get().pk

    def test_finds_no_team_space_for_a_person_alone(self, olivia: User, dropbox: "Standin") -> None:
        assert not connect(olivia, IVAN).is_team_space

    def test_run_twice_keeps_one(self, olivia: User, dropbox: "Standin") -> None:
        first = connect(olivia)

        assert connect(olivia).pk == first.pk

        assert DropboxAccount.objects.count() == 1

    def test_lets_two_people_share_an_account(
        self, olivia: User, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        connect(olivia)
        connect(django_user_model.objects.create_user("oscar"))

        assert len(set(DropboxAccount.objects.values_list("account_id", flat=True))) == 1
        assert DropboxAccount.objects.count() == 2

    def test_replaces_another_account(self, olivia: User, dropbox: "Standin") -> None:
        connect(olivia)
        connect(olivia, PAUL)

        assert DropboxAccount.objects.get().display_name == "Paul Partner"

    def test_ends_the_need_to_connect_and_the_pause(self, olivia: User, dropbox: "Standin") -> None:
        connect(olivia)
        DropboxAccount.objects.update(
            needs_reconnect_reason="revoked", paused_until=now() + timedelta(hours=1), access_token=""
        )

        connect(olivia)

        assert gateway_for(olivia)

    def test_replaces_tokens_whose_key_is_lost(self, olivia: User, dropbox: "Standin", settings: Settings) -> None:
        connect(olivia)
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        connect(olivia)

        assert DropboxAccount.objects.get().refresh_token == OLIVIA

    def test_refuses_a_made_up_token(self, olivia: User, dropbox: "Standin") -> None:
        with pytest.raises(errors.RefreshTokenRefused):
            connect(olivia, "made-up")

        assert not DropboxAccount.objects.exists()

    def test_names_the_scopes_that_are_missing(self, olivia: User, dropbox: "Standin") -> None:
        dropbox.scopes("olivia", ["account_info.read", "files.metadata.read"])

        with pytest.raises(errors.ScopeMissing, match=r"lacks sharing\.read, sharing\.write\."):
            connect(olivia)

        assert not DropboxAccount.objects.exists()

    def test_changes_nothing_when_it_is_refused(self, olivia: User, dropbox: "Standin") -> None:
        connect(olivia)

        with pytest.raises(errors.RefreshTokenRefused):
            connect(olivia, "made-up")

        assert DropboxAccount.objects.get().refresh_token == OLIVIA

    def test_may_be_tried_again_when_dropbox_is_away(self, olivia: User, dropbox: "Standin") -> None:
        dropbox.fault(ACCOUNT, status=503)

        with pytest.raises(errors.DropboxUnavailable):
            connect(olivia)

        assert not DropboxAccount.objects.exists()


class TestConnectAccountWhenDropboxDoesNotTellTheScopes:
    @pytest.fixture(autouse=True)
    def _untold(self, olivia: User, dropbox: "Standin") -> None:
        """The real answer to a refresh may come without its `scope`."""
        token = connect(olivia).access_token
        DropboxAccount.objects.all().delete()
        dropbox.clear_journal()
        dropbox.fault(TOKEN, status=200, body={"access_token": token, "token_type": "bearer", "expires_in": 14_400})

    def test_finds_them_out_and_changes_nothing_there(self, olivia: User, dropbox: "Standin") -> None:
        account = connect(olivia)

        assert set(account.scopes) == REQUIRED_SCOPES
        assert dropbox.calls() == {TOKEN: 1, ACCOUNT: 2, LIST: 1, LINKS: 1, LINK: 1}

    def test_names_what_is_missing(self, olivia: User, dropbox: "Standin") -> None:
        dropbox.scopes("olivia", ["account_info.read", "sharing.read"])

        with pytest.raises(errors.ScopeMissing, match=r"lacks files\.metadata\.read, sharing\.write\."):
            connect(olivia)

    def test_is_content_when_a_policy_forbids_links(self, olivia: User, dropbox: "Standin") -> None:
        dropbox.fault(LINK, status=409, body=union("access_denied"))

        assert set(connect(olivia).scopes) == REQUIRED_SCOPES


class TestDisconnectAccount:
    def test_leaves_what_was_connected_anew_meanwhile(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In another tab, while Dropbox was told to end the old one."""
        revoke = dropbox_accounts._revoke_stored

        def meanwhile(user: User) -> bool:
            ended = revoke(user)
            connect_account(user=user, refresh_token=dropbox.issue_tokens("olivia").refresh_token)
            return ended

        monkeypatch.setattr(dropbox_accounts, "_revoke_stored", meanwhile)

        with pytest.raises(errors.AccountBusy):
            disconnect_account(user=operator)

        assert DropboxAccount.objects.get().user == operator
