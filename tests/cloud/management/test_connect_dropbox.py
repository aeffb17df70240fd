import io
import sys
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, execute_from_command_line
from django.test import override_settings

from cloud.models import DropboxAccount
from leases.models import AgencyStorageConfig
from tests.cloud.dropbox.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _people(olivia: User, dropbox: "Standin") -> None:
    """Olivia, and a Dropbox that knows an Olivia."""


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> "Callable[[str], None]":
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def connect(*, user: str = "olivia") -> str:
    out = io.StringIO()
    call_command("connect_dropbox", user=user, stdout=out)
    return out.getvalue()


class TestConnectDropbox:
    def test_says_whose_dropbox_is_connected(self, type_in: "Callable[[str], None]") -> None:
        type_in("standin-refresh-olivia\n")

        said = connect()

        account = DropboxAccount.objects.get(user__username="olivia")
        assert said == (
            f"olivia is connected to Dropbox as Olivia Operator ({account.account_id}), team space "
            f"{account.root_namespace_id}.\n"
        )

    def test_says_which_folders_it_sees(self, type_in: "Callable[[str], None]") -> None:
        AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/A", documents_base_path="/A", misc_index_base_path="/A"
        )
        type_in("standin-refresh-ivan\n")

        said = connect()

        assert said.splitlines()[1].startswith(
            "look None of the agencies' folders (BLM) is seen with this account (Ivan"
        )

    def test_sends_a_terminal_nothing_that_it_obeys(self, dropbox: "Standin", type_in: "Callable[[str], None]") -> None:
        dropbox.create_account("odd", display_name="Odd \x9b2JOne")
        type_in("standin-refresh-odd")

        said = connect()

        assert "as Odd \ufffd2JOne" in said
        assert "\x9b" not in said

    def test_says_when_it_is_a_personal_one(self, type_in: "Callable[[str], None]") -> None:
        type_in("standin-refresh-ivan")

        assert connect().endswith("personal space.\n")

    def test_asks_at_a_terminal_without_an_echo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda prompt: "standin-refresh-olivia")

        connect()

        assert DropboxAccount.objects.exists()

    @pytest.mark.parametrize(
        ("typed", "user", "sentence"),
        [
            ("standin-refresh-olivia", "nobody", "There is no user 'nobody'."),
            ("standin-refresh-olivia", "\udcff", "There is no user '\ufffd'."),
            ("", "olivia", "Standard input holds no refresh token."),
            ("  \n", "olivia", "Standard input holds no refresh token."),
            ("made-up", "olivia", "Dropbox has ended this connection."),
        ],
    )
    def test_says_what_is_wrong(self, type_in: "Callable[[str], None]", typed: str, user: str, sentence: str) -> None:
        type_in(typed)

        with pytest.raises(CommandError) as caught:
            connect(user=user)

        assert str(caught.value).startswith(sentence)
        assert caught.value.returncode == 1
        assert not DropboxAccount.objects.exists()

    def test_names_missing_scopes(self, dropbox: "Standin", type_in: "Callable[[str], None]") -> None:
        dropbox.scopes("olivia", ["account_info.read", "files.metadata.read", "sharing.read"])
        type_in("standin-refresh-olivia")

        with pytest.raises(CommandError, match=r"lacks sharing\.write\."):
            connect()

    def test_says_when_dropbox_does_not_answer(self, dropbox: "Standin", type_in: "Callable[[str], None]") -> None:
        dropbox.fault(TOKEN, kind="reset")
        type_in("standin-refresh-olivia")

        with pytest.raises(CommandError, match="Dropbox could not be reached"):
            connect()

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"DROPBOX_APP_KEY": ""}, "No Dropbox app is configured"),
            ({"DROPBOX_APP_KEY": "wrong"}, "Dropbox does not know this app"),
            ({"DROPBOX_BASE_URL": "http://dropbox.example.com"}, "DROPBOX_BASE_URL may use plain http on loopback"),
            ({"TOKEN_ENCRYPTION_KEYS": ["short"]}, "TOKEN_ENCRYPTION_KEYS must hold at least one key"),
        ],
    )
    def test_says_which_setting_is_wrong(
        self, type_in: "Callable[[str], None]", changed: dict[str, object], sentence: str
    ) -> None:
        type_in("standin-refresh-olivia")

        with override_settings(**changed), pytest.raises(CommandError, match=sentence):
            connect()

    def test_exits_with_one_line_and_1(
        self, type_in: "Callable[[str], None]", capsys: pytest.CaptureFixture[str]
    ) -> None:
        type_in("")

        with pytest.raises(SystemExit) as caught:
            execute_from_command_line(["manage.py", "connect_dropbox", "--user", "olivia"])

        assert caught.value.code == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
