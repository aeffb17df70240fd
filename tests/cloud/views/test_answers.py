"""What comes back from Dropbox, or pretends to, and is none of our answers."""

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from cloud import oauth_session
from cloud.models import DropboxAccount
from core.base import clock
from tests.cloud.views.conftest import HERE, LEASES, begin, consent, explained

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


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
            ("unauthorized_client", "does not know this app"),
            ("server_error", "could not ask you just now"),
            ("<script>", "could not ask you just now"),
            ("", "could not ask you just now"),
        ],
    )
    def test_refused_by_dropbox(self, browser: Client, error: str, sentence: str) -> None:
        begin(browser)
        state = browser.session[oauth_session.ATTEMPT]["state"]

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

        assert "used already, or is too old" in explained(browser, browser.get(back))
        assert not DropboxAccount.objects.exists()

    def test_with_a_code_that_is_no_code(self, browser: Client, dropbox: "Standin") -> None:
        for code in ("x", "x" * 5_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "'--"):
            begin(browser)
            state = browser.session[oauth_session.ATTEMPT]["state"]

            page = explained(browser, browser.get("/dropbox/callback/", {"code": code, "state": state}))

            assert "used already, or is too old" in page

    def test_that_was_too_late(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        back = consent(begin(browser))
        later = clock.now() + timedelta(seconds=oauth_session.ATTEMPT_LASTS_S + 1)
        monkeypatch.setattr(oauth_session, "shared_now", lambda: later)

        assert "More than half an hour" in explained(browser, browser.get(back))
        assert not DropboxAccount.objects.exists()

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "code=a",
            "code=a&state=",
            "code=a&state=forged",
            "code=a&state=%01%C3%BF",
            "error=access_denied",
            "state=ü",
        ],
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
        state = browser.session[oauth_session.ATTEMPT]["state"]

        page = explained(browser, browser.get("/dropbox/callback/", {"code": code, "state": state}))

        assert "used already, or is too old" in page
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
