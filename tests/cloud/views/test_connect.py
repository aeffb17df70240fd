"""The way to Dropbox and back, when all goes well and when Dropbox does not."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from cloud import oauth_session
from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from cloud.services.accounts import REQUIRED_SCOPES
from leases.models import Lease
from tests.cloud.views.conftest import HERE, LEASES, begin, connect, consent, explained
from tests.factories import NUMBER

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


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

    def test_asks_to_write_only_where_archives_are_made(self, browser: Client, settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = True

        asked = parse_qs(urlsplit(begin(browser)).query)

        assert set(asked["scope"][0].split()) == {*REQUIRED_SCOPES, "files.content.write"}

    def test_keeps_the_verifier_to_itself(self, browser: Client) -> None:
        address = begin(browser)

        assert browser.session[oauth_session.ATTEMPT]["verifier"] not in address

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
        for shown in ("Olivia Operator", "olivia@example.com", "Team space", "sharing.write", "Not yet"):
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
