import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from discovery.models import DropboxAccount
from tests.discovery.test_models import account

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def connected(olivia: User) -> DropboxAccount:
    made = account(user=olivia)
    made.save()
    return made


@pytest.fixture
def page(olivia: User, client: Client, connected: DropboxAccount) -> Client:
    client.force_login(olivia)
    return client


class TestDropboxAccountAdmin:
    def test_lists_who_is_connected(self, page: Client) -> None:
        answer = page.get(reverse("admin:discovery_dropboxaccount_changelist"))

        assert "Olivia" in answer.text

    def test_shows_an_account_without_its_tokens(self, page: Client, connected: DropboxAccount) -> None:
        answer = page.get(reverse("admin:discovery_dropboxaccount_change", args=[connected.pk]))

        assert "dbid:1" in answer.text
        assert "secret" not in answer.text

    def test_opens_even_when_no_key_fits(self, page: Client, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        answer = page.get(reverse("admin:discovery_dropboxaccount_change", args=[connected.pk]))

        assert answer.status_code == 200

    @pytest.mark.parametrize("action", ["change", "delete"])
    def test_changes_nothing_by_a_hand_made_post(self, page: Client, connected: DropboxAccount, action: str) -> None:
        url = reverse(f"admin:discovery_dropboxaccount_{action}", args=[connected.pk])

        answer = page.post(url, {"display_name": "Mallory", "post": "yes"})

        assert answer.status_code == 403
        assert DropboxAccount.objects.get().display_name == "Olivia"

    def test_adds_none(self, page: Client) -> None:
        assert page.get(reverse("admin:discovery_dropboxaccount_add")).status_code == 403
