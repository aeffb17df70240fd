"""The way to Dropbox and back, as a browser goes it: every redirect and every form between console and stand-in."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from core import clock
from discovery import attempts
from discovery.dropbox import gateway_for
from discovery.models import DropboxAccount
from discovery.services.dropbox_accounts import REQUIRED_SCOPES, connect_account
from leases.models import Lease
from tests.discovery.conftest import NUMBER

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HERE = "/dropbox/"
LEASES = "/admin/leases/lease/"


@pytest.fixture
def browser(olivia: User, client: Client, dropbox: "Standin", settings: Settings) -> Client:
    settings.CONSOLE_URL = "http://testserver"
    client.force_login(olivia)
    return client


def begin(browser: Client, *, next_path: str = "") -> str:
    """The address at Dropbox that the button leads to."""
    answer = browser.post("/dropbox/connect/", {"next": next_path})
    assert answer.status_code == 302
    return str(answer["Location"])


def consent(address: str, *, account: str = "olivia", decision: str = "allow", **changes: str) -> str:
    """Answer Dropbox's page; where it sends the browser back to, without the console's host."""
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query)) | changes
    form = {**asked, "account": account, "decision": decision}
    page = requests.post(f"{parts.scheme}://{parts.netloc}{parts.path}", data=form, allow_redirects=False, timeout=10)
    assert page.status_code == 302, page.text
    back = page.headers["Location"]
    assert back.startswith("http://testserver/dropbox/callback/?")
    return back.removeprefix("http://testserver")


def connect(browser: Client, *, account: str = "olivia", next_path: str = "") -> "Response":
    return browser.get(consent(begin(browser, next_path=next_path), account=account))


def explained(browser: Client, answer: "Response") -> str:
    """The page that the answer leads to, which explains and offers to try again."""
    assert answer.status_code == 302, answer.content
    page = browser.get(answer["Location"])
    assert page.status_code == 200
    assert "Dropbox was not connected" in page.text
    assert ">Try again</button>" in page.text
    return page.text


class TestConnect:
    def test_asks_for_offline_access_with_exactly_the_scopes_needed(self, browser: Client) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(begin(browser)).query).items()}

        assert set(asked.pop("scope").split()) == REQUIRED_SCOPES
        assert len(asked.pop("state")) >= 32
        assert len(asked.pop("code_challenge")) == 43
        assert asked == {
            "client_id": "standin-app",
            "response_type": "code",
            "redirect_uri": "http://testserver/dropbox/callback/",
            "token_access_type": "offline",
            "code_challenge_method": "S256",
        }

    def test_keeps_the_verifier_to_itself(self, browser: Client) -> None:
        address = begin(browser)

        assert browser.session[attempts.ATTEMPT]["verifier"] not in address

    def test_leads_to_the_real_dropbox_unless_told_otherwise(self, browser: Client, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = ""

        assert begin(browser).startswith("https://www.dropbox.com/oauth2/authorize?")

    def test_never_asks_with_the_same_state_twice(self, browser: Client) -> None:
        assert begin(browser) != begin(browser)

    def test_says_that_no_app_is_configured(self, browser: Client, settings: Settings) -> None:
        settings.DROPBOX_APP_KEY = ""

        assert "No Dropbox app is configured" in explained(browser, browser.post("/dropbox/connect/"))

    def test_says_that_the_base_url_is_wrong(self, browser: Client, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = "http://dropbox.example.com"

        assert "loopback only" in explained(browser, browser.post("/dropbox/connect/"))

    def test_is_not_done_by_a_link(self, browser: Client) -> None:
        assert browser.get("/dropbox/connect/").status_code == 405

    def test_needs_a_token_against_forgery(self, olivia: User, dropbox: "Standin") -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(olivia)

        for path in ("connect", "replace", "disconnect"):
            assert strict.post(f"/dropbox/{path}/").status_code == 403


class TestComeBack:
    def test_stores_whose_dropbox_it_is_and_says_so(self, browser: Client, olivia: User) -> None:
        page = browser.get(connect(browser)["Location"]).text

        account = DropboxAccount.objects.get(user=olivia)
        assert set(account.scopes) == REQUIRED_SCOPES
        assert gateway_for(olivia)
        for shown in ("Olivia Operator", "olivia@example.com", "Team space", "sharing.write", "Never since"):
            assert shown in page
        assert "Dropbox is connected as Olivia Operator." in page

    def test_of_a_person_alone_is_a_personal_space(self, browser: Client) -> None:
        assert "Personal space" in browser.get(connect(browser, account="ivan")["Location"]).text

    def test_never_shows_a_token(self, browser: Client, olivia: User) -> None:
        page = browser.get(connect(browser)["Location"]).text

        account = DropboxAccount.objects.get(user=olivia)
        assert account.refresh_token not in page
        assert account.access_token not in page

    def test_the_connection_outlives_the_first_access_token(
        self, browser: Client, olivia: User, dropbox: "Standin"
    ) -> None:
        connect(browser)
        dropbox.expire_tokens("olivia")
        dropbox.put("/a/")

        assert gateway_for(olivia).list_directory(path="").entries

    def test_leads_back_to_where_the_person_was(self, browser: Client) -> None:
        assert connect(browser, next_path=f"{LEASES}?q=1")["Location"] == f"{LEASES}?q=1"

    @pytest.mark.parametrize(
        "evil",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example/",
            "///evil.example",
            "http:///evil.example",
            "javascript:alert(1)",
            "/\t/evil.example/",
            "/\r\nSet-Cookie: a=b",
            "/\x00",
            " //evil.example",
            "evil.example",
            "http://testserver@evil.example/",
            f"/{'a' * 2_000}",
        ],
    )
    def test_leads_nowhere_else(self, browser: Client, evil: str) -> None:
        assert connect(browser, next_path=evil)["Location"] == HERE
        page = browser.get(f"{HERE}?{urlencode({'next': evil})}")
        assert f'name="next" value="{HERE}"' in page.text

    def test_run_again_for_the_same_account_makes_the_connection_anew(self, browser: Client, olivia: User) -> None:
        connect(browser)
        first = DropboxAccount.objects.get(user=olivia)

        connect(browser)

        second = DropboxAccount.objects.get(user=olivia)
        assert (second.pk, second.account_id) == (first.pk, first.account_id)
        assert second.refresh_token != first.refresh_token

    def test_two_people_may_share_one_account(
        self, browser: Client, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        connect(browser)
        other = Client()
        other.force_login(django_user_model.objects.create_superuser("oscar"))
        connect(other)

        accounts = DropboxAccount.objects.all()
        assert len({account.account_id for account in accounts}) == 1
        assert len({account.user_id for account in accounts}) == 2
        assert all(gateway_for(account.user).list_directory(path="") for account in accounts)

    def test_resumes_what_failed_for_want_of_it(self, browser: Client, olivia: User) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number=NUMBER, initiated_by=olivia)
        Lease.objects.update(state="failed", failure_code="connect_dropbox", due_at=None)
        assert "1 lease that you started waits" in browser.get(HERE).text.replace("\n", " ")

        page = browser.get(connect(browser)["Location"]).text

        assert "1 lease that waited for it starts again." in page
        assert Lease.objects.get(pk=lease.pk).due_at is not None


class TestAnAnswerThatIsNone:
    def test_denied(self, browser: Client) -> None:
        page = explained(browser, browser.get(consent(begin(browser, next_path=LEASES), decision="deny")))

        assert "You did not allow Runsheet" in page
        assert f'name="next" value="{LEASES}"' in page
        assert not DropboxAccount.objects.exists()

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            ("invalid_scope", "has not all permissions"),
            ("server_error", "could not ask you just now"),
            ("<script>", "could not ask you just now"),
            ("", "could not ask you just now"),
        ],
    )
    def test_refused_by_dropbox(self, browser: Client, error: str, sentence: str) -> None:
        begin(browser)
        state = browser.session[attempts.ATTEMPT]["state"]

        page = explained(browser, browser.get("/dropbox/callback/", {"error": error, "state": state, "code": "c"}))

        assert sentence in page
        assert "<script>" not in page

    def test_replayed(self, browser: Client, olivia: User) -> None:
        back = consent(begin(browser))
        browser.get(back)
        kept = DropboxAccount.objects.get(user=olivia).refresh_token

        page = explained(browser, browser.get(back))

        assert "does not belong to anything that you have begun in this browser" in page
        assert DropboxAccount.objects.get(user=olivia).refresh_token == kept

    def test_with_a_code_that_was_used_elsewhere(self, browser: Client, dropbox: "Standin") -> None:
        back = consent(begin(browser))
        code = parse_qs(urlsplit(back).query)["code"][0]
        requests.post(
            f"{dropbox.base_url}/oauth2/token",
            data={"grant_type": "authorization_code", "code": code, "client_id": "standin-app"},
            timeout=10,
        )

        assert "used up or too old" in explained(browser, browser.get(back))
        assert not DropboxAccount.objects.exists()

    def test_with_a_code_that_is_no_code(self, browser: Client, dropbox: "Standin") -> None:
        for code in ("x", "x" * 5_000, "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "'--"):
            begin(browser)
            state = browser.session[attempts.ATTEMPT]["state"]

            page = explained(browser, browser.get("/dropbox/callback/", {"code": code, "state": state}))

            assert "used up or too old" in page

    def test_that_was_too_late(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        back = consent(begin(browser))
        later = clock.now() + timedelta(seconds=attempts.ATTEMPT_LASTS_S + 1)
        monkeypatch.setattr(attempts, "now", lambda: later)

        assert "More than half an hour" in explained(browser, browser.get(back))
        assert not DropboxAccount.objects.exists()

    @pytest.mark.parametrize(
        "query",
        ["", "code=a", "code=a&state=", "code=a&state=forged", "code=a&state=%00%ff", "error=access_denied", "state=ü"],
    )
    def test_forged(self, browser: Client, query: str) -> None:
        back = consent(begin(browser))

        page = explained(browser, browser.get(f"/dropbox/callback/?{query}"))

        assert "does not belong to anything that you have begun" in page
        # What the person has really begun is not used up by that.
        assert browser.get(back)["Location"] == HERE
        assert DropboxAccount.objects.exists()

    def test_with_a_parameter_twice(self, browser: Client) -> None:
        back = consent(begin(browser))

        explained(browser, browser.get(f"{back}&code=other"))

        assert not DropboxAccount.objects.exists()

    def test_of_somebody_else(self, browser: Client, django_user_model: type[User]) -> None:
        attacker = Client()
        attacker.force_login(django_user_model.objects.create_superuser("mallory"))
        back = consent(begin(attacker), account="paul")
        begin(browser)

        explained(browser, browser.get(back))

        assert not DropboxAccount.objects.exists()

    def test_with_somebody_elses_code_in_ones_own_attempt(self, browser: Client, django_user_model: type[User]) -> None:
        attacker = Client()
        attacker.force_login(django_user_model.objects.create_superuser("mallory"))
        code = parse_qs(urlsplit(consent(begin(attacker), account="paul")).query)["code"][0]
        begin(browser)
        state = browser.session[attempts.ATTEMPT]["state"]

        page = explained(browser, browser.get("/dropbox/callback/", {"code": code, "state": state}))

        assert "used up or too old" in page
        assert not DropboxAccount.objects.exists()

    def test_after_somebody_else_has_logged_in(self, browser: Client, django_user_model: type[User]) -> None:
        back = consent(begin(browser))
        browser.force_login(django_user_model.objects.create_superuser("oscar"))

        explained(browser, browser.get(back))

        assert not DropboxAccount.objects.exists()

    def test_after_logging_out_leads_to_the_login_without_what_came(self, browser: Client, olivia: User) -> None:
        back = consent(begin(browser))
        browser.logout()

        answer = browser.get(back)

        assert answer["Location"] == "/admin/login/?next=/dropbox/callback/"
        browser.force_login(olivia)
        explained(browser, browser.get("/dropbox/callback/"))

    def test_is_never_posted(self, browser: Client) -> None:
        assert browser.post("/dropbox/callback/").status_code == 405

    def test_an_explanation_is_given_once(self, browser: Client) -> None:
        explained(browser, browser.get("/dropbox/callback/"))

        assert "Dropbox was not connected" not in browser.get(HERE).text


class TestFewerScopes:
    def test_stores_nothing_says_which_are_missing_and_gives_the_tokens_back(
        self, browser: Client, dropbox: "Standin"
    ) -> None:
        back = consent(begin(browser), scope="account_info.read files.metadata.read sharing.read")

        page = explained(browser, browser.get(back))

        assert "lacks sharing.write" in page
        assert not DropboxAccount.objects.exists()
        assert dropbox.calls()["auth/token/revoke"] == 1

    def test_keeps_the_connection_that_there_is(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        back = consent(begin(browser), scope="account_info.read")

        explained(browser, browser.get(back))

        assert gateway_for(olivia).list_directory(path="") is not None


class TestDropboxThatDoesNotAnswer:
    @pytest.mark.parametrize("route", ["oauth2/token", "users/get_current_account"])
    @pytest.mark.parametrize(
        "fault", [{"status": 503}, {"kind": "reset"}, {"kind": "html"}, {"kind": "truncate"}, {"status": 429}]
    )
    def test_is_no_error_page(self, browser: Client, dropbox: "Standin", route: str, fault: dict[str, object]) -> None:
        back = consent(begin(browser, next_path=LEASES))
        dropbox.fault(route, **fault)  # type: ignore[arg-type]

        page = explained(browser, browser.get(back))

        assert "Nothing was stored." in page
        assert "by itself" not in page
        assert f'name="next" value="{LEASES}"' in page
        assert not DropboxAccount.objects.exists()

    def test_an_app_that_dropbox_does_not_know(self, browser: Client, settings: Settings) -> None:
        back = consent(begin(browser))
        settings.DROPBOX_APP_SECRET = "wrong"

        assert "Dropbox does not know this app" in explained(browser, browser.get(back))

    def test_a_suspended_account(self, browser: Client, dropbox: "Standin") -> None:
        back = consent(begin(browser))
        dropbox.suspend("olivia")

        assert "is suspended" in explained(browser, browser.get(back))

    def test_that_gives_no_refresh_token(self, browser: Client) -> None:
        page = explained(browser, browser.get(consent(begin(browser), token_access_type="online")))

        assert "gave no proper answer" in page


class TestASecondAccount:
    def test_asks_before_it_replaces(self, browser: Client, olivia: User) -> None:
        connect(browser)

        page = browser.get(connect(browser, account="paul", next_path=LEASES)["Location"]).text

        assert "Use another Dropbox account?" in page
        assert "Paul Partner" in page
        assert DropboxAccount.objects.get(user=olivia).display_name == "Olivia Operator"

    def test_replaces_when_told_so_and_revokes_what_it_replaced(
        self, browser: Client, olivia: User, dropbox: "Standin"
    ) -> None:
        connect(browser)
        old = DropboxAccount.objects.get(user=olivia)
        connect(browser, account="paul", next_path=LEASES)

        answer = browser.post("/dropbox/replace/", {"decision": "replace"})

        assert answer["Location"] == LEASES
        assert DropboxAccount.objects.get(user=olivia).display_name == "Paul Partner"
        assert gateway_for(olivia).list_directory(path="") is not None
        assert is_worth_nothing(old.refresh_token, dropbox)

    def test_stays_when_told_so_and_gives_the_new_tokens_back(
        self, browser: Client, olivia: User, dropbox: "Standin"
    ) -> None:
        connect(browser)
        connect(browser, account="paul", next_path=LEASES)

        answer = browser.post("/dropbox/replace/", {"decision": "keep"})

        assert answer["Location"] == LEASES
        assert DropboxAccount.objects.get(user=olivia).display_name == "Olivia Operator"
        assert dropbox.calls()["auth/token/revoke"] == 1
        assert gateway_for(olivia).list_directory(path="") is not None

    def test_replaces_only_once(self, browser: Client, olivia: User) -> None:
        connect(browser)
        connect(browser, account="paul")
        browser.post("/dropbox/replace/", {"decision": "replace"})

        assert "Nothing waits" in explained(browser, browser.post("/dropbox/replace/", {"decision": "replace"}))

    def test_does_not_wait_for_ever(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(browser)
        connect(browser, account="paul")
        later = clock.now() + timedelta(seconds=attempts.REPLACEMENT_LASTS_S + 1)
        monkeypatch.setattr(attempts, "now", lambda: later)

        assert "Use another Dropbox account?" not in browser.get(HERE).text
        assert "Nothing waits" in explained(browser, browser.post("/dropbox/replace/", {"decision": "replace"}))

    def test_is_forgotten_when_the_keys_change(self, browser: Client, settings: Settings) -> None:
        connect(browser)
        connect(browser, account="paul")
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert "Use another Dropbox account?" not in browser.get(HERE).text

    def test_lies_encrypted_until_then(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(browser)
        connect(browser, account="paul")

        (session,) = Session.objects.all()
        found = attempts.replacement(browser.session)
        assert found
        token = found[0].grant.refresh_token
        assert len(token) > 40
        assert token not in str(session.get_decoded())

    def test_asks_also_when_the_first_has_ended(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        connect(browser)
        DropboxAccount.objects.update(needs_reconnect_reason="It has ended.", access_token="")
        dropbox.revoke("olivia")
        connect(browser, account="paul")

        browser.post("/dropbox/replace/", {"decision": "replace"})

        assert DropboxAccount.objects.get(user=olivia).display_name == "Paul Partner"


class TestTheAccountsPage:
    def test_without_a_connection_offers_to_connect(self, browser: Client) -> None:
        page = browser.get(f"{HERE}?next={LEASES}").text

        assert ">Connect Dropbox</button>" in page
        assert f'name="next" value="{LEASES}"' in page
        assert "Disconnect" not in page

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

        before = browser.get(HERE).text
        after = browser.post("/dropbox/disconnect/", follow=True).text

        assert "22 leases depend on it" in before
        assert before.count("NMNM ") == 20
        assert "will fail unless you connect again: 22." in after

    def test_without_a_connection_says_so(self, browser: Client) -> None:
        assert "No Dropbox account is connected." in browser.post("/dropbox/disconnect/", follow=True).text

    def test_leaves_the_account_of_another_person_alone(
        self, browser: Client, olivia: User, django_user_model: type[User]
    ) -> None:
        oscar = django_user_model.objects.create_user("oscar")
        connect_account(user=oscar, refresh_token="standin-refresh-olivia")
        connect(browser)

        browser.post("/dropbox/disconnect/")

        assert gateway_for(oscar).list_directory(path="") is not None


@pytest.mark.django_db(transaction=True)
class TestAConnectionThatIsBeingRenewed:
    """Whoever renews holds the row; the page says so instead of waiting for ever."""

    @pytest.fixture
    def held(self, browser: Client, olivia: User) -> "Callable[[Callable[[], str]], str]":
        from threading import Event, Thread

        def while_held(act: Callable[[], str]) -> str:
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

    def test_cannot_be_disconnected_now(self, browser: Client, held: "Callable[[Callable[[], str]], str]") -> None:
        connect(browser)

        page = held(lambda: browser.post("/dropbox/disconnect/", follow=True).text)

        assert "is being renewed at this moment" in page
        assert DropboxAccount.objects.exists()

    def test_cannot_be_made_anew_now(self, browser: Client, held: "Callable[[Callable[[], str]], str]") -> None:
        connect(browser)
        back = consent(begin(browser))

        page = held(lambda: explained(browser, browser.get(back)))

        assert "is being renewed at this moment" in page


class TestTheBanner:
    @pytest.fixture
    def lost(self, browser: Client, olivia: User) -> Client:
        for number in range(3):
            Lease.objects.create(agency="BLM", lease_number=f"NMNM {number}", initiated_by=olivia)
        Lease.objects.update(state="failed", failure_code="connect_dropbox", due_at=None)
        return browser

    def test_is_one_for_all_leases_and_leads_to_the_way_out(self, lost: Client) -> None:
        for path in ("/admin/", LEASES):
            page = lost.get(path).text

            assert page.count("Your Dropbox is not connected.") == 1
            assert "3 leases that you started</a> wait for it." in page
            assert f'href="/dropbox/?next={path.replace("/", "%2F")}"' in page
            assert "leases: connect dropbox</a>" not in page

    def test_says_why_a_connection_has_ended(self, lost: Client) -> None:
        connect(lost)
        DropboxAccount.objects.update(needs_reconnect_reason="Dropbox has ended this connection.")

        assert "Dropbox has ended this connection." in lost.get("/admin/").text

    def test_is_there_when_leases_failed_although_the_connection_seems_fine(self, lost: Client) -> None:
        connect(lost)
        Lease.objects.update(due_at=None)

        assert "Your Dropbox was out of reach." in lost.get("/admin/").text

    def test_is_gone_as_soon_as_they_go_on(self, lost: Client) -> None:
        connect(lost)

        assert "dropbox-banner" not in lost.get("/admin/").text

    def test_is_not_for_others(self, lost: Client, django_user_model: type[User]) -> None:
        lost.force_login(django_user_model.objects.create_superuser("oscar"))

        assert "dropbox-banner" not in lost.get(LEASES).text

    def test_shows_the_way_on_the_start_page_before_anything_fails(self, browser: Client) -> None:
        page = browser.get("/admin/").text

        assert page.count(">Connect Dropbox</a>") == 1
        assert "is-lost" not in page
        assert "dropbox-banner" not in browser.get(LEASES).text

    def test_does_not_invite_who_needs_no_dropbox(self, browser: Client, django_user_model: type[User]) -> None:
        browser.force_login(django_user_model.objects.create_user("viewer", is_staff=True))

        assert "dropbox-banner" not in browser.get("/admin/").text

    def test_is_not_on_the_page_that_says_it_all(self, lost: Client) -> None:
        assert "dropbox-banner" not in lost.get(HERE).text

    def test_is_not_on_the_login_page(self, client: Client) -> None:
        assert "dropbox-banner" not in client.get("/admin/login/").text


def is_worth_nothing(refresh_token: str, dropbox: "Standin") -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": "standin-app"}
    return requests.post(f"{dropbox.base_url}/oauth2/token", data=form, timeout=10).status_code == 400
