import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from cloud.dropbox.tokens import renew_access_token
from cloud.models import DropboxAccount
from cloud.services import key_rotation
from cloud.services.accounts import connect_account
from cloud.services.key_rotation import rotate_token_key
from leases.models import Lease
from tests.factories import account
from tests.held import held_by_another_session

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [OLD]


@pytest.fixture
def connected(olivia: User) -> DropboxAccount:
    made = account(user=olivia)
    made.save()
    return made


def stored() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token, access_token FROM cloud_dropboxaccount ORDER BY id")
        rows: list[tuple[str, str]] = cursor.fetchall()
        return rows


@contextmanager
def renewing(account: DropboxAccount, dropbox: "Standin") -> Iterator[None]:
    """A worker renews the account's token, and Dropbox has not answered yet."""

    def work() -> None:
        try:
            renew_access_token(account)
        finally:
            connection.close()

    dropbox.clear_journal()
    worker = threading.Thread(target=work)
    worker.start()
    while not dropbox.journal("oauth2/token"):
        time.sleep(0.01)
    yield
    worker.join()


@pytest.mark.django_db
class TestRotateTokenKey:
    def test_needs_the_old_key_no_more(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        rotation = rotate_token_key()

        settings.TOKEN_ENCRYPTION_KEYS = [NEW]
        connected.refresh_from_db()
        assert rotation.done == ("olivia",)
        assert (connected.refresh_token, connected.access_token) == ("secret-refresh", "secret-access")

    def test_lets_go_on_what_could_not_be_read_meanwhile(self, connected: DropboxAccount, settings: Settings) -> None:
        """A worker that knows the old key only has met what another one encrypted with the new key."""
        for user, number in ((connected.user, "NMNM 1"), (None, "NMNM 2")):
            Lease.objects.create(agency="BLM", lease_number=number, initiated_by=user)
        Lease.objects.update(state="failed", failure_code="tokens_unreadable", due_at=None)
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        rotate_token_key()

        assert [each.lease_number for each in Lease.objects.filter(due_at__isnull=False)] == ["NMNM 1"]

    def test_leaves_nothing_as_nothing(self, olivia: User, settings: Settings) -> None:
        account(user=olivia, access_token="").save()

        rotate_token_key()

        assert stored()[0][1] == ""

    def test_touches_nothing_but_the_tokens(self, connected: DropboxAccount) -> None:
        others = [field.name for field in DropboxAccount._meta.fields if field.name not in key_rotation.ENCRYPTED]
        before = DropboxAccount.objects.values(*others).get()

        rotate_token_key()

        assert key_rotation.ENCRYPTED == ["refresh_token", "access_token"]
        assert DropboxAccount.objects.values(*others).get() == before

    def test_can_be_run_twice(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        rotate_token_key()
        again = rotate_token_key()

        settings.TOKEN_ENCRYPTION_KEYS = [NEW]
        connected.refresh_from_db()
        assert again.done == ("olivia",)
        assert connected.refresh_token == "secret-refresh"

    def test_leaves_and_names_what_no_key_opens(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [LOST]
        account(user=User.objects.create_user("paul")).save()
        unreadable = stored()[1]
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        rotation = rotate_token_key()

        assert rotation.done == ("olivia",)
        assert rotation.unreadable == ("paul",)
        assert stored()[1] == unreadable

    def test_leaves_an_account_whole_when_one_token_is_unreadable(
        self, connected: DropboxAccount, settings: Settings
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [LOST]
        DropboxAccount.objects.update(access_token="other")
        before = stored()
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        assert rotate_token_key().unreadable == ("olivia",)

        assert stored() == before

    def test_says_so_when_a_key_is_none(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = ["short"]

        with pytest.raises(ImproperlyConfigured, match="TOKEN_ENCRYPTION_KEYS"):
            rotate_token_key()

    def test_has_nothing_to_do_without_accounts(self, db: None) -> None:
        assert rotate_token_key().done == ()


@pytest.mark.django_db(transaction=True)
class TestWhileTokensAreRenewed:
    def test_encrypts_what_was_renewed(self, olivia: User, dropbox: "Standin", settings: Settings) -> None:
        account = connect_account(user=olivia, refresh_token="standin-refresh-olivia")
        DropboxAccount.objects.update(access_token_expires_at=None)
        dropbox.fault("oauth2/token", kind="delay", delay_s=0.5)
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]

        with renewing(account, dropbox):
            rotation = rotate_token_key()

        settings.TOKEN_ENCRYPTION_KEYS = [NEW]
        found = DropboxAccount.objects.get()
        assert rotation.done == ("olivia",)
        assert found.refresh_token == "standin-refresh-olivia"
        assert found.access_token == account.access_token

    def test_names_who_is_busy_all_the_time(self, connected: DropboxAccount, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(key_rotation, "WAIT_S", 0.1)

        with held_by_another_session(DropboxAccount, connected.pk):
            rotation = rotate_token_key()

        assert rotation.busy == ("olivia",)
        assert rotate_token_key().done == ("olivia",)

    def test_passes_over_who_disconnects_meanwhile(
        self, connected: DropboxAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rotate = key_rotation._rotate

        def disconnect_first(pk: int) -> object:
            DropboxAccount.objects.all().delete()
            return rotate(pk)

        monkeypatch.setattr(key_rotation, "_rotate", disconnect_first)

        rotation = rotate_token_key()

        assert (rotation.done, rotation.unreadable, rotation.busy) == ((), (), ())

    def test_does_not_hide_that_the_database_is_away(
        self, connected: DropboxAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(DropboxAccount, "save", fail)

        with pytest.raises(OperationalError):
            rotate_token_key()
