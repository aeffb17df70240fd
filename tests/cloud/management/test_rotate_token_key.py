import io

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from cloud.models import DropboxAccount
from cloud.services import key_rotation
from tests.factories import account
from tests.held import held_by_another_session

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def connected(olivia: User, settings: Settings) -> DropboxAccount:
    settings.TOKEN_ENCRYPTION_KEYS = [OLD]
    made = account(user=olivia)
    made.save()
    return made


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_token_key", stdout=out)
    return out.getvalue()


class TestRotateTokenKey:
    def test_says_how_many(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW, OLD]
        account(user=User.objects.create_user("paul")).save()

        said = rotate()

        assert "The tokens of 2 accounts are encrypted" in said
        assert "The other keys are needed no more." in said

    def test_names_whose_no_key_opens_and_fails(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [NEW]

        with pytest.raises(CommandError, match="No key opens the tokens of olivia") as failure:
            rotate()

        assert failure.value.returncode == 1

    def test_says_so_when_a_key_is_none(self, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = ["short"]

        with pytest.raises(CommandError, match="TOKEN_ENCRYPTION_KEYS must hold"):
            rotate()

    @pytest.mark.django_db(transaction=True)
    def test_names_who_is_busy_and_fails(self, connected: DropboxAccount, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(key_rotation, "WAIT_S", 0.1)

        with (
            held_by_another_session(DropboxAccount, connected.pk),
            pytest.raises(CommandError, match=r"In use all the time: the tokens of olivia\. Run this again\."),
        ):
            rotate()
