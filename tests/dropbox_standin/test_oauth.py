import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from dropbox import Dropbox
from dropbox.oauth import BadStateException, NotApprovedException, OAuth2FlowResult

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import flow_for, session_for

CALLBACK = "http://127.0.0.1:8000/callback"


class TestConsentPage:
    def test_lets_the_person_choose_and_allow(self, standin: Standin) -> None:
        result = connect(standin, account="paul", use_pkce=True)

        assert result.account_id == standin.account("paul").account_id
        client = Dropbox(result.access_token, session=session_for(standin.base_url))
        assert client.users_get_current_account().name.display_name == "Paul Partner"

    def test_shows_every_account_and_scope(self, standin: Standin) -> None:
        page = open_page(standin, scope="files.metadata.read sharing.read").text

        assert all(name in page for name in ("Olivia Operator", "Ivan Individual", "sharing.read", "Allow", "Deny"))
        assert "sharing.write" not in page

    def test_is_in_the_journal_like_every_call(self, standin: Standin) -> None:
        connect(standin, account="olivia")

        assert standin.calls() == {"oauth2/authorize": 2, "oauth2/token": 1}

    def test_escapes_what_it_is_given(self, standin: Standin) -> None:
        page = open_page(standin, state='"><script>').text

        assert "<script>" not in page

    def test_sends_a_refusal_back(self, standin: Standin) -> None:
        flow = flow_for(standin, {})
        query = answer(standin, flow.start(), account="olivia", decision="deny")

        with pytest.raises(NotApprovedException):
            flow.finish(query)

    def test_sends_the_state_back_unchanged(self, standin: Standin) -> None:
        flow = flow_for(standin, {})
        query = answer(standin, flow.start(), account="olivia")

        with pytest.raises(BadStateException):
            flow_for(standin, {}).finish(query)

    def test_shows_the_code_when_there_is_nowhere_to_send_it(self, standin: Standin) -> None:
        url = f"{standin.base_url}/oauth2/authorize?client_id=standin-app&response_type=code"

        allowed = submit(url, account="olivia", decision="allow")
        denied = submit(url, account="olivia", decision="deny")

        code = re.search(r'<code id="code">(\w+)</code>', allowed.text)
        assert code is not None
        assert token(standin, grant_type="authorization_code", code=code[1])["account_id"]
        assert "Access denied" in denied.text

    @pytest.mark.parametrize(
        ("wrong", "problem"),
        [
            ({"client_id": "strange"}, "Invalid client_id"),
            ({"response_type": "token"}, "Invalid response_type"),
            ({"code_challenge_method": "MD5"}, "Invalid code_challenge_method"),
            ({"scope": "files.everything"}, "Invalid scope"),
        ],
    )
    def test_refuses_a_wrong_request_by_page_and_by_button(
        self, standin: Standin, wrong: dict[str, str], problem: str
    ) -> None:
        page = open_page(standin, **wrong)
        button = submit(page.url, account="olivia", decision="allow")

        assert (page.status_code, button.status_code) == (400, 400)
        assert problem in page.text
        assert problem in button.text

    def test_says_what_each_person_is_good_for(self, standin: Standin) -> None:
        standin.create_account("second")

        page = open_page(standin)

        assert page.text.count("<small>") == 4
        assert "Take this one if in doubt." in page.text

    def test_asks_for_a_person(self, standin: Standin) -> None:
        page = open_page(standin)

        assert submit(page.url, account="nobody", decision="allow").status_code == 400


class TestCode:
    def test_is_good_once(self, standin: Standin) -> None:
        browser: dict[str, str] = {}
        flow = flow_for(standin, browser)
        query = answer(standin, flow.start(), account="olivia")
        state = dict(browser)
        flow.finish(query)
        browser.update(state)

        with pytest.raises(requests.HTTPError):
            flow.finish(query)

    def test_needs_the_verifier_of_its_challenge(self, standin: Standin) -> None:
        flow = flow_for(standin, {}, use_pkce=True)
        query = answer(standin, flow.start(), account="olivia")
        flow.code_verifier = "another"

        with pytest.raises(requests.HTTPError) as caught:
            flow.finish(query)

        assert caught.value.response.json()["error_description"] == "invalid code verifier"

    def test_expires(self, standin: Standin) -> None:
        code = answer(standin, open_page(standin).url, account="olivia")["code"]
        standin.advance_clock(601)

        assert token(standin, grant_type="authorization_code", code=code, redirect_uri=CALLBACK) == {
            "error": "invalid_grant",
            "error_description": "code doesn't exist or has expired",
        }

    def test_is_bound_to_its_redirect_uri(self, standin: Standin) -> None:
        code = answer(standin, open_page(standin).url, account="olivia")["code"]

        refused = token(standin, grant_type="authorization_code", code=code, redirect_uri="http://127.0.0.1/other")

        assert refused["error_description"] == "redirect_uri mismatch"

    def test_brings_a_refresh_token_only_for_offline_access(self, standin: Standin) -> None:
        codes = [
            answer(standin, open_page(standin, token_access_type=kind).url, account="olivia")["code"]
            for kind in ("offline", "online")
        ]

        offline, online = (
            token(standin, grant_type="authorization_code", code=code, redirect_uri=CALLBACK) for code in codes
        )

        assert ("refresh_token" in offline, "refresh_token" in online) == (True, False)

    def test_carries_the_scopes_that_were_asked_for(self, standin: Standin) -> None:
        result = connect(standin, account="olivia", scope=["files.metadata.read", "account_info.read"])

        assert result.scope == "account_info.read files.metadata.read"

    def test_without_challenge_needs_the_secret(self, standin: Standin) -> None:
        code = answer(standin, open_page(standin).url, account="olivia")["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}

        response = requests.post(
            f"{standin.base_url}/oauth2/token", data={**form, "client_id": "standin-app"}, timeout=10
        )

        assert response.json()["error"] == "invalid_client"


class TestRefresh:
    FORM = {"grant_type": "refresh_token", "refresh_token": "standin-refresh-olivia"}

    @pytest.mark.parametrize("path", ["/oauth2/token", "/1/oauth2/token"])
    def test_takes_the_secret_from_form_url_or_basic_authentication(self, standin: Standin, path: str) -> None:
        url = standin.base_url + path

        by_form = requests.post(
            url, data={**self.FORM, "client_id": "standin-app", "client_secret": "standin-secret"}, timeout=10
        )
        by_basic = requests.post(url, data=self.FORM, auth=("standin-app", "standin-secret"), timeout=10)

        by_url = requests.post(
            url,
            params={**self.FORM, "client_id": "standin-app", "client_secret": "standin-secret"},
            headers={"Content-Type": "application/json"},
            timeout=10,
        )

        for response in (by_form, by_basic, by_url):
            assert response.json().keys() == {"access_token", "token_type", "expires_in", "scope"}

    def test_may_narrow_the_scopes_but_not_widen_them(self, standin: Standin) -> None:
        narrowed = token(standin, **self.FORM, scope="account_info.read")
        standin.scopes("olivia", ["account_info.read"])

        assert narrowed["scope"] == "account_info.read"
        assert token(standin, **self.FORM, scope="sharing.read")["error"] == "invalid_scope"

    def test_of_a_pkce_grant_needs_no_secret(self, standin: Standin) -> None:
        result = connect(standin, account="olivia", use_pkce=True)
        form = {"grant_type": "refresh_token", "refresh_token": result.refresh_token, "client_id": "standin-app"}

        response = requests.post(f"{standin.base_url}/oauth2/token", data=form, timeout=10)

        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"grant_type": "refresh_token", "refresh_token": "strange"}, "invalid_grant"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({}, "invalid_request"),
            ({**FORM, "client_secret": "wrong"}, "invalid_client"),
            ({**FORM, "client_id": "strange"}, "invalid_client"),
        ],
    )
    def test_says_what_is_wrong(self, standin: Standin, form: dict[str, str], error: str) -> None:
        assert token(standin, **form)["error"] == error

    def test_refuses_basic_authentication_that_is_none(self, standin: Standin) -> None:
        response = requests.post(
            f"{standin.base_url}/oauth2/token",
            data=self.FORM,
            headers={"Authorization": "Basic !"},
            timeout=10,
        )

        assert response.json()["error"] == "invalid_client"

    def test_needs_the_secret(self, standin: Standin) -> None:
        response = requests.post(
            f"{standin.base_url}/oauth2/token", data={**self.FORM, "client_id": "standin-app"}, timeout=10
        )

        assert response.json()["error"] == "invalid_client"

    def test_is_for_the_app_that_was_granted(self, standin: Standin) -> None:
        standin.create_app(key="other", secret="secret")

        refused = token(standin, **self.FORM, client_id="other", client_secret="secret")

        assert refused["error"] == "invalid_grant"


def connect(standin: Standin, *, account: str, **options: object) -> OAuth2FlowResult:
    """The whole flow, with the SDK on one side and a browser's form on the other."""
    flow = flow_for(standin, {}, **options)
    return flow.finish(answer(standin, flow.start(), account=account))


def answer(standin: Standin, url: str, *, account: str, decision: str = "allow") -> dict[str, str]:
    """Press a button of the consent page; returns what the app is sent."""
    here = urlsplit(standin.base_url)
    url = urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc).geturl()
    response = submit(url, account=account, decision=decision)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def submit(url: str, *, account: str, decision: str) -> requests.Response:
    """Send the form with its hidden fields, as a browser would."""
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    page = requests.get(url, timeout=10)
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text):
        assert fields[name] == value
    form = {**fields, "account": account, "decision": decision}
    return requests.post(url.partition("?")[0], data=form, allow_redirects=False, timeout=10)


def open_page(standin: Standin, **more: str) -> requests.Response:
    params = {"client_id": "standin-app", "response_type": "code", "redirect_uri": CALLBACK, **more}
    return requests.get(f"{standin.base_url}/oauth2/authorize", params=params, timeout=10)


def token(standin: Standin, **form: str) -> dict[str, str]:
    credentials = {"client_id": "standin-app", "client_secret": "standin-secret"}
    response = requests.post(f"{standin.base_url}/oauth2/token", data={**credentials, **form}, timeout=10)
    return dict(response.json())
