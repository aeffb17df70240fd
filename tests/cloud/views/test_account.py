"""The page of one's own connection, and the way out."""

from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account, disconnect_account
from leases.models import Lease
from tests.cloud.views.conftest import HERE, LEASES, begin, connect, consent, explained, is_worth_nothing
from tests.pooler import unpooled

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

type Hold = Callable[[Callable[[], Any]], Any]


class TestTheAccountsPage:
    def test_without_a_connection_offers_to_connect(self, browser: Client) -> None:
        page = browser.get(f"{HERE}?next={LEASES}").text

        assert ">Connect Dropbox</button>" in page
        assert f'name="next" value="{LEASES}"' in page
        assert "Disconnect" not in page

    def test_says_which_permissions_it_does_not_need(self, browser: Client, olivia: User) -> None:
        connect(browser)
        assert "neither needs" not in browser.get(HERE).text

        connect_account(user=olivia, refresh_token="standin-refresh-olivia")

        page = " ".join(browser.get(HERE).text.split())
        assert "Runsheet neither needs nor uses account_info.write, files.content.read, " in page

    def test_tells_why_it_has_to_be_connected_again(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        dropbox.suspend("olivia")
        with pytest.raises(Exception, match="suspended"):
            gateway_for(olivia).list_directory(path="")

        page = browser.get(HERE).text

        assert ">Reconnect</h2>" in page
        assert "This Dropbox account is suspended." in page
        assert ">Connect Dropbox again</button>" in page

    def test_opens_when_the_tokens_cannot_be_decrypted(self, browser: Client, settings: Settings) -> None:
        connect(browser)
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert "Olivia Operator" in browser.get(HERE).text

    def test_shows_when_it_was_last_used(self, browser: Client, olivia: User) -> None:
        connect(browser)
        gateway_for(olivia)

        assert "Never since" not in browser.get(HERE).text

    def test_escapes_what_dropbox_calls_the_account(self, browser: Client, dropbox: "Standin") -> None:
        dropbox.create_account("eve", display_name="<script>alert(1)</script>", email="eve@example.com")

        page = browser.get(connect(browser, account="eve")["Location"]).text

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page

    def test_is_for_who_is_logged_in(self, client: Client) -> None:
        assert client.get(HERE)["Location"] == "/admin/login/?next=/dropbox/"

    def test_is_reached_from_every_page_of_the_console(self, browser: Client) -> None:
        for page in ("/admin/", LEASES, "/admin/django_rq/dashboard/", "/admin/auth/user/"):
            assert 'href="/dropbox/"' in browser.get(page, follow=True).text, page


class TestWhoMayOnlyLook:
    @pytest.fixture
    def viewer(self, browser: Client, django_user_model: type[User]) -> Client:
        person = django_user_model.objects.create_user("viewer", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
        browser.force_login(person)
        return browser

    def test_is_told_that_no_dropbox_is_needed(self, viewer: Client) -> None:
        page = viewer.get(HERE).text

        assert "you need no Dropbox here" in page
        assert "Connect Dropbox</button>" not in page

    def test_cannot_connect_one(self, viewer: Client) -> None:
        assert viewer.post("/dropbox/connect/").status_code == 403
        assert viewer.post("/dropbox/replace/").status_code == 403
        assert viewer.get("/dropbox/callback/").status_code == 403

    def test_can_still_disconnect(self, viewer: Client) -> None:
        person = User.objects.get(username="viewer")
        connect_account(user=person, refresh_token="standin-refresh-olivia")

        viewer.post("/dropbox/disconnect/")

        assert not DropboxAccount.objects.exists()


class TestDisconnect:
    def test_revokes_and_forgets(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        token = DropboxAccount.objects.get(user=olivia).refresh_token

        page = browser.post("/dropbox/disconnect/", follow=True).text

        assert "Olivia Operator is disconnected" in page
        assert "could not be told" not in page
        assert not DropboxAccount.objects.exists()
        assert is_worth_nothing(token, dropbox)

    def test_forgets_even_when_dropbox_does_not_answer(self, browser: Client, dropbox: "Standin") -> None:
        connect(browser)
        dropbox.fault("*", status=503, times=5)

        page = browser.post("/dropbox/disconnect/", follow=True).text

        assert "Dropbox could not be told" in page
        assert not DropboxAccount.objects.exists()

    def test_says_which_leases_depend_on_it(self, browser: Client, olivia: User) -> None:
        connect(browser)
        for number in range(22):
            Lease.objects.create(agency="BLM", lease_number=f"NMNM {number:02}", initiated_by=olivia)
        Lease.objects.update(state="searching")

        before = browser.get("/dropbox/disconnect/").text
        after = browser.post("/dropbox/disconnect/", follow=True).text

        assert "22 leases depend on it" in before
        assert before.count("NMNM ") == 20
        assert "will fail unless you connect again: 22." in after

    def test_asks_before_it_does_it(self, browser: Client, dropbox: "Standin") -> None:
        connect(browser)
        assert 'href="/dropbox/disconnect/">Disconnect Olivia Operator' in browser.get(HERE).text

        asked = browser.get("/dropbox/disconnect/").text

        assert "Disconnect Olivia Operator?" in asked
        assert "What has been found stays" in asked
        assert "No lease is being worked on with it" in asked
        assert DropboxAccount.objects.exists()

    def test_asks_nothing_where_there_is_nothing(self, browser: Client) -> None:
        assert "No Dropbox account is connected." in browser.get("/dropbox/disconnect/", follow=True).text

    def test_without_a_connection_says_so(self, browser: Client) -> None:
        assert "No Dropbox account is connected." in browser.post("/dropbox/disconnect/", follow=True).text

    def test_leaves_the_account_of_another_person_alone(
        self, browser: Client, olivia: User, django_user_model: type[User]
    ) -> None:
        oscar = django_user_model.objects.create_superuser("oscar")
        connect_account(user=oscar, refresh_token="standin-refresh-olivia")
        connect(browser)

        browser.post("/dropbox/disconnect/")

        assert gateway_for(oscar).list_directory(path="") is not None


@unpooled
@pytest.mark.django_db(transaction=True)
class TestAConnectionThatIsBeingRenewed:
    """Whoever renews holds the row; the page says so instead of waiting for ever."""

    @pytest.fixture
    def held(self, browser: Client, olivia: User) -> Hold:
        def while_held(act: Callable[[], Any]) -> Any:
            locked, over = Event(), Event()

            def hold() -> None:
                with transaction.atomic():
                    list(DropboxAccount.objects.select_for_update())
                    locked.set()
                    over.wait(30)
                connection.close()

            holder = Thread(target=hold)
            holder.start()
            locked.wait(30)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 100")
            try:
                return act()
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
                over.set()
                holder.join(30)

        return while_held

    def test_cannot_be_disconnected_now(self, browser: Client, held: Hold) -> None:
        connect(browser)

        page = held(lambda: browser.post("/dropbox/disconnect/", follow=True).text)

        assert "is being renewed at this moment" in page
        assert DropboxAccount.objects.exists()

    def test_cannot_be_made_anew_now(self, browser: Client, held: Hold) -> None:
        connect(browser)
        back = consent(begin(browser))

        page = held(lambda: explained(browser, browser.get(back)))

        assert "is being renewed at this moment" in page

    def test_hides_no_other_trouble_of_the_database(self, browser: Client, olivia: User, held: Hold) -> None:
        connect(browser)

        def disconnect() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 0")
                cursor.execute("SET statement_timeout = 100")
            try:
                disconnect_account(user=olivia)
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("RESET statement_timeout")

        with pytest.raises(OperationalError, match="statement timeout"):
            held(disconnect)
