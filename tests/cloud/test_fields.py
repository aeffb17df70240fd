import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.serializers.base import DeserializationError
from django.db import connection
from pytest_django.fixtures import Settings

from cloud.errors import TokensUnreadable
from cloud.models import DropboxAccount

pytestmark = pytest.mark.django_db

NEW_KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    return DropboxAccount.objects.create(
        user=olivia,
        account_id="dbid:1",
        refresh_token="the-refresh-token",
        root_namespace_id="1",
        home_namespace_id="1",
        connected_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def stored() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token, access_token FROM cloud_dropboxaccount")
        row: tuple[str, str] = cursor.fetchone()
        return row


class TestEncryptedTextField:
    def test_reads_back_what_was_written(self, account: DropboxAccount) -> None:
        account.refresh_from_db()

        assert account.refresh_token == "the-refresh-token"

    def test_keeps_no_plain_text(self, account: DropboxAccount) -> None:
        refresh_token, _ = stored()

        assert "the-refresh-token" not in refresh_token

    def test_leaves_nothing_as_nothing(self, account: DropboxAccount) -> None:
        assert stored()[1] == ""

    def test_encrypts_an_update_too(self, account: DropboxAccount) -> None:
        DropboxAccount.objects.update(access_token="the-access-token")

        account.refresh_from_db()
        assert account.access_token == "the-access-token"
        assert "the-access-token" not in stored()[1]

    def test_reads_with_an_old_key_and_writes_with_the_first(
        self, olivia: User, settings: Settings, account: DropboxAccount
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [OLD_KEY]
        DropboxAccount.objects.update(refresh_token="written-long-ago")
        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY, OLD_KEY]

        DropboxAccount.objects.only("refresh_token").get().save()

        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY]
        assert DropboxAccount.objects.only("refresh_token").get().refresh_token == "written-long-ago"

    def test_says_so_when_no_key_opens_it(self, settings: Settings, account: DropboxAccount) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY]

        with pytest.raises(TokensUnreadable, match="TOKEN_ENCRYPTION_KEYS"):
            DropboxAccount.objects.get()

    @pytest.mark.parametrize("keys", [[], ["short"]])
    def test_says_so_when_a_key_is_none(self, settings: Settings, account: DropboxAccount, keys: list[str]) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = keys

        with pytest.raises(ImproperlyConfigured, match="TOKEN_ENCRYPTION_KEYS must hold at least one key"):
            DropboxAccount.objects.get()

    def test_cannot_be_searched(self) -> None:
        with pytest.raises(FieldError, match="refresh_token is encrypted and cannot be searched"):
            DropboxAccount.objects.filter(refresh_token="the-refresh-token")

    def test_can_be_asked_whether_it_is_there(self, account: DropboxAccount) -> None:
        assert DropboxAccount.objects.filter(refresh_token__isnull=False).exists()


def dumped() -> str:
    written = io.StringIO()
    call_command("dumpdata", "cloud.dropboxaccount", stdout=written)
    return written.getvalue()


class TestDump:
    def test_holds_no_plain_text(self, account: DropboxAccount) -> None:
        fields = json.loads(dumped())[0]["fields"]

        assert "the-refresh-token" not in str(fields)
        assert fields["refresh_token"].startswith("encrypted:")
        assert fields["access_token"] == ""

    def test_can_be_loaded_as_long_as_its_key_is_there(
        self, account: DropboxAccount, settings: Settings, tmp_path: Path
    ) -> None:
        file = tmp_path / "accounts.json"
        file.write_text(dumped())
        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY, *settings.TOKEN_ENCRYPTION_KEYS]
        DropboxAccount.objects.all().delete()

        call_command("loaddata", file, verbosity=0)

        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY]
        assert DropboxAccount.objects.get().refresh_token == "the-refresh-token"

    def test_is_not_loaded_without_it(self, account: DropboxAccount, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "accounts.json"
        file.write_text(dumped())
        DropboxAccount.objects.all().delete()
        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY]

        with pytest.raises(DeserializationError, match="TOKEN_ENCRYPTION_KEYS"):
            call_command("loaddata", file, verbosity=0)

        assert not DropboxAccount.objects.exists()

    def test_is_refused_of_what_no_key_opens(self, account: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW_KEY]

        with pytest.raises(CommandError, match="TOKEN_ENCRYPTION_KEYS"):
            dumped()
