from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from cloud.models import DropboxAccount
from leases.models import Lease
from leases.services import create_lease
from tests.factories import account, give_dropbox
from tests.held import held_by_another_session
from tests.pooler import unpooled
from tests.questions import question_of

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

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
        answer = page.get(reverse("admin:cloud_dropboxaccount_changelist"))

        assert "Olivia" in answer.text

    def test_shows_an_account_without_its_tokens(self, page: Client, connected: DropboxAccount) -> None:
        answer = page.get(reverse("admin:cloud_dropboxaccount_change", args=[connected.pk]))

        assert "dbid:1" in answer.text
        assert "secret" not in answer.text

    def test_opens_even_when_no_key_fits(self, page: Client, connected: DropboxAccount, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        answer = page.get(reverse("admin:cloud_dropboxaccount_change", args=[connected.pk]))

        assert answer.status_code == 200

    @pytest.mark.parametrize("action", ["change", "delete"])
    def test_changes_nothing_by_a_hand_made_post(self, page: Client, connected: DropboxAccount, action: str) -> None:
        url = reverse(f"admin:cloud_dropboxaccount_{action}", args=[connected.pk])

        answer = page.post(url, {"display_name": "Mallory", "post": "yes"})

        assert answer.status_code == 403
        assert DropboxAccount.objects.get().display_name == "Olivia"

    def test_adds_none(self, page: Client) -> None:
        assert page.get(reverse("admin:cloud_dropboxaccount_add")).status_code == 403

    @pytest.mark.parametrize(("root", "space"), [("1", "Personal space"), ("7", "Team space")])
    def test_tells_the_space(self, page: Client, connected: DropboxAccount, root: str, space: str) -> None:
        DropboxAccount.objects.update(root_namespace_id=root)

        assert space in page.get(reverse("admin:cloud_dropboxaccount_changelist")).text

    def test_tells_permissions_use_change_and_what_is_wrong(self, page: Client, connected: DropboxAccount) -> None:
        noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        DropboxAccount.objects.update(
            scopes=["files.metadata.read", "sharing.read"],
            last_used_at=noon,
            changed_at=noon,
            needs_reconnect_reason="This account is suspended.",
        )

        answer = page.get(reverse("admin:cloud_dropboxaccount_change", args=[connected.pk]))

        assert "files.metadata.read, sharing.read" in answer.text
        assert answer.text.count('title="2026-03-01 05:00:00 MST"') == 2
        assert "This account is suspended." in answer.text

    @pytest.mark.parametrize(("chosen", "shown"), [("works", False), ("lost", True), ("", True)])
    def test_can_be_narrowed_to_the_lost_ones(
        self, page: Client, connected: DropboxAccount, chosen: str, shown: bool
    ) -> None:
        DropboxAccount.objects.update(needs_reconnect_reason="This account is suspended.")

        answer = page.get(reverse("admin:cloud_dropboxaccount_changelist"), {"connection": chosen})

        assert answer.context["cl"].result_count == shown

    def test_is_not_shown_to_who_may_not_see_it(self, client: Client, connected: DropboxAccount) -> None:
        client.force_login(User.objects.create_user("victor", is_staff=True))

        assert client.get(reverse("admin:cloud_dropboxaccount_changelist")).status_code == 403
        assert client.get(reverse("admin:cloud_dropboxaccount_change", args=[connected.pk])).status_code == 403


# Nobody deletes who may do more than they may.
LEASES = ("add_lease", "run_discovery")


class TestDeletePerson:
    @pytest.fixture
    def admin_client(self, client: Client) -> Client:
        """Somebody who may delete people, and is no superuser."""
        ada = User.objects.create_user("ada", is_staff=True)
        rights = ("view_user", "delete_user", *LEASES)
        ada.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client.force_login(ada)
        return client

    @pytest.fixture
    def paul(self, dropbox: "Standin") -> User:
        """Somebody who has connected Dropbox and run a lease."""
        paul = User.objects.create_user("paul", "paul@example.com")
        paul.user_permissions.set(Permission.objects.filter(codename__in=LEASES))
        give_dropbox(paul, dropbox, "paul")
        paul.user_permissions.set(Permission.objects.filter(codename="add_lease"))
        create_lease(agency="BLM", lease_number="NMNM 1", created_by=User.objects.get(pk=paul.pk))
        # Else whoever deletes people would have to have this right, too.
        paul.user_permissions.clear()
        dropbox.clear_journal()
        return User.objects.get(pk=paul.pk)

    def test_ends_the_connection_too(self, admin_client: Client, paul: User, dropbox: "Standin") -> None:
        answer = admin_client.post(reverse("admin:auth_user_delete", args=[paul.pk]), {"post": "yes"})

        assert answer.status_code == 302
        assert not User.objects.filter(username="paul").exists()
        assert not DropboxAccount.objects.exists()
        assert dropbox.calls() == {"auth/token/revoke": 1}

    def test_tells_beforehand_that_the_account_goes_too(self, admin_client: Client, paul: User) -> None:
        answer = admin_client.get(reverse("admin:auth_user_delete", args=[paul.pk]))

        assert "Dropbox account" in answer.text
        assert "Are you sure" in answer.text

    def test_leaves_what_the_person_did(self, admin_client: Client, paul: User) -> None:
        admin_client.post(reverse("admin:auth_user_delete", args=[paul.pk]), {"post": "yes"})

        lease = Lease.objects.get()
        assert (lease.created_by, lease.initiated_by) == (None, None)

    def test_works_for_several_at_once(self, admin_client: Client, paul: User, dropbox: "Standin") -> None:
        quinn = User.objects.create_user("quinn")

        admin_client.post(
            reverse("admin:auth_user_changelist"),
            {"action": "delete_selected", "_selected_action": [paul.pk, quinn.pk], "post": "yes"},
        )

        assert list(User.objects.values_list("username", flat=True)) == ["ada"]
        assert dropbox.calls() == {"auth/token/revoke": 1}

    def test_goes_on_without_dropbox(self, admin_client: Client, paul: User, dropbox: "Standin") -> None:
        dropbox.fault("auth/token/revoke", status=503, times=10)

        answer = admin_client.post(reverse("admin:auth_user_delete", args=[paul.pk]), {"post": "yes"}, follow=True)

        assert "Dropbox could not be told that paul is gone" in answer.text
        assert not User.objects.filter(username="paul").exists()

    def test_is_refused_without_the_permission(self, client: Client, paul: User) -> None:
        client.force_login(User.objects.create_user("victor", is_staff=True))

        assert client.post(reverse("admin:auth_user_delete", args=[paul.pk]), {"post": "yes"}).status_code == 403
        assert DropboxAccount.objects.exists()

    def test_works_with_tokens_that_no_key_opens(self, admin_client: Client, paul: User, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        url = reverse("admin:auth_user_delete", args=[paul.pk])

        beforehand = admin_client.get(url)
        answer = admin_client.post(url, {"post": "yes"}, follow=True)

        assert "Dropbox account" in beforehand.text
        assert "Dropbox could not be told that paul is gone" in answer.text
        assert not User.objects.filter(username="paul").exists()
        assert not DropboxAccount.objects.exists()

    def test_of_several_works_with_tokens_that_no_key_opens(
        self, admin_client: Client, paul: User, settings: Settings
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        url = reverse("admin:auth_user_changelist")
        given = {"action": "delete_selected", "_selected_action": [paul.pk]}

        beforehand = question_of(admin_client, admin_client.post(url, given))
        admin_client.post(url, given | {"post": "yes"})

        assert "Dropbox account" in beforehand.text
        assert not User.objects.filter(username="paul").exists()

    @unpooled
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("way", ["one", "several"])
    def test_is_put_off_while_a_worker_renews(
        self, admin_client: Client, paul: User, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        given = {"post": "yes"}
        url = reverse("admin:auth_user_delete", args=[paul.pk])
        if way == "several":
            given |= {"action": "delete_selected", "_selected_action": str(paul.pk)}
            url = reverse("admin:auth_user_changelist")
        connection.cursor().execute("SET lock_timeout = '200ms'")

        with held_by_another_session(DropboxAccount, DropboxAccount.objects.get().pk):
            answer = admin_client.post(url, given, follow=True)
            connection.cursor().execute("RESET lock_timeout")

        assert "Nobody was deleted. This Dropbox connection is being renewed" in answer.text
        assert User.objects.filter(username="paul").exists()
