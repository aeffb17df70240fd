import base64
from typing import Any

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import AuthError, RateLimitError

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import APP, raw_call, sdk, session_for


def refreshing(standin: Standin, token: str) -> Dropbox:
    return Dropbox(
        oauth2_refresh_token=token, session=session_for(standin.base_url), max_retries_on_error=0, timeout=20, **APP
    )


class TestAccessToken:
    def test_that_nobody_issued_is_invalid(self, standin: Standin) -> None:
        stranger = Dropbox(oauth2_access_token="sl.strange", session=session_for(standin.base_url))

        assert auth_error(stranger).is_invalid_access_token()

    def test_is_well_known_of_one_grant(self, standin: Standin) -> None:
        client = Dropbox(oauth2_access_token="standin-access-olivia", session=session_for(standin.base_url))

        assert client.users_get_current_account().email == "olivia@example.com"
        assert "oauth2/token" not in standin.calls()

        standin.revoke("olivia")
        assert auth_error(client).is_invalid_access_token()

    def test_expires_after_four_hours(self, standin: Standin, home: Dropbox) -> None:
        standin.advance_clock(14_399)
        home.check_user("still here")
        standin.advance_clock(2)

        assert auth_error(home).is_expired_access_token()

    def test_expires_when_ordered(self, standin: Standin, home: Dropbox) -> None:
        standin.expire_tokens("olivia")

        assert auth_error(home).is_expired_access_token()

    def test_is_refused_while_the_account_is_suspended(self, standin: Standin, home: Dropbox) -> None:
        standin.suspend("olivia")
        assert auth_error(home).is_user_suspended()

        standin.suspend("olivia", suspended=False)

        assert home.check_user("back").result == "back"

    def test_names_the_scope_that_it_lacks(self, standin: Standin, home: Dropbox) -> None:
        standin.scopes("olivia", ["account_info.read", "files.metadata.read"])

        with pytest.raises(AuthError) as caught:
            home.sharing_list_shared_links()

        assert caught.value.error.get_missing_scope().required_scope == "sharing.read"
        assert home.files_list_folder("").entries == []

    def test_revokes_itself_with_its_siblings_and_its_refresh_token(self, standin: Standin) -> None:
        first, second = refreshing(standin, "standin-refresh-olivia"), refreshing(standin, "standin-refresh-olivia")
        second.check_user("x")

        first.auth_token_revoke()

        response = raw_token(standin, {"grant_type": "refresh_token", "refresh_token": "standin-refresh-olivia"})
        assert response == (400, "invalid_grant")
        assert standin.account("olivia").refresh_token != "standin-refresh-olivia"

    def test_dies_when_the_person_disconnects_the_app(self, standin: Standin, home: Dropbox) -> None:
        standin.revoke("olivia")

        assert auth_error(home).is_invalid_access_token()


class TestRefreshToken:
    @pytest.mark.parametrize("name", ["olivia", "paul", "nora", "ivan"])
    def test_is_well_known(self, standin: Standin, name: str) -> None:
        account = refreshing(standin, f"standin-refresh-{name}").users_get_current_account()

        assert account.email == f"{name}@example.com"
        assert len(account.account_id) == 40

    def test_refreshes_an_expired_access_token(self, standin: Standin) -> None:
        client = refreshing(standin, "standin-refresh-olivia")
        client.check_user("x")
        standin.expire_tokens("olivia")

        assert client.check_user("y").result == "y"
        assert standin.calls()["oauth2/token"] == 2


class TestHeaders:
    def test_must_have_an_authorization(self, standin: Standin) -> None:
        response = raw_call(standin, "check/user", json={"query": "x"}, headers={"Authorization": None})

        assert response.status_code == 400
        assert 'Must provide HTTP header "Authorization"' in response.text

    @pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic abc"])
    def test_must_have_an_authorization_that_carries_a_token(self, standin: Standin, value: str) -> None:
        response = raw_call(standin, "check/user", json={"query": "x"}, headers={"Authorization": value})

        assert response.status_code == 400
        assert "Expecting" in response.text

    @pytest.mark.parametrize("content_type", ["text/html", "application/x-www-form-urlencoded", None])
    def test_must_have_the_routes_content_type(self, standin: Standin, content_type: str | None) -> None:
        response = raw_call(standin, "check/user", data=b'{"query":"x"}', headers={"Content-Type": content_type})

        assert (response.status_code, response.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert 'Bad HTTP "Content-Type" header' in response.text

    def test_of_every_answer_carry_a_request_id_and_the_exact_type(self, standin: Standin) -> None:
        response = raw_call(standin, "check/user", json={"query": "x"})

        assert response.headers["Content-Type"] == "application/json"
        assert len(response.headers["X-Dropbox-Request-Id"]) == 32


class TestArguments:
    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ("{", "could not decode input as JSON"),
            ("[]", "expected object, got list"),
            ("{}", "missing required field 'path'"),
            ('{"path": 1}', "path: expected string, got integer"),
            ('{"path": "x"}', "path: 'x' did not match pattern"),
            ('{"path": "", "limit": 0}', "limit: integer 0 is less than minimum 1"),
            ('{"path": "", "limit": 2001}', "limit: integer 2001 is greater than maximum 2000"),
            ('{"path": "", "limit": true}', "limit: expected integer, got boolean"),
            ('{"path": "", "recursive": "yes"}', "recursive: expected boolean, got string"),
            ('{"path": "", "strange": 1}', "unknown field 'strange'"),
        ],
    )
    def test_that_do_not_fit_are_named(self, standin: Standin, body: str, problem: str) -> None:
        response = raw_call(
            standin, "files/list_folder", data=body, headers={"Content-Type": "application/json; charset=utf-8"}
        )

        assert response.status_code == 400
        assert response.text.startswith('Error in call to API function "files/list_folder": request body: ')
        assert problem in response.text

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"audience": "everybody"}, "settings: audience: unknown tag 'everybody'"),
            ({"audience": 1}, "settings: audience: expected object or string, got integer"),
            ({"expires": "soon"}, "does not match format"),
        ],
    )
    def test_within_a_struct_are_named_with_it(self, standin: Standin, settings: object, problem: str) -> None:
        standin.put("/A/", home="olivia")

        response = raw_call(
            standin, "sharing/create_shared_link_with_settings", json={"path": "/A", "settings": settings}
        )

        assert response.status_code == 400
        assert problem in response.text

    def test_of_a_route_that_takes_none_may_be_missing(self, standin: Standin) -> None:
        assert raw_call(standin, "users/get_current_account").status_code == 200

    def test_come_by_post(self, standin: Standin) -> None:
        response = requests.get(f"{standin.base_url}/2/check/user", timeout=10)

        assert (response.status_code, 'Expecting "POST"' in response.text) == (400, True)

    def test_that_the_stand_in_does_not_serve_are_refused(self, standin: Standin) -> None:
        response = raw_call(standin, "files/list_folder", json={"path": "", "shared_link": {"url": "x"}})

        assert (response.status_code, "shared_link" in response.text) == (400, True)

    def test_for_an_unknown_route_are_not_looked_at(self, standin: Standin) -> None:
        response = raw_call(standin, "files/strange", json={})

        assert (response.status_code, "Unknown API function" in response.text) == (400, True)


class TestRateLimit:
    def test_empties_a_bucket_for_each_account(self, standin: Standin, home: Dropbox) -> None:
        standin.rate_limit(0.1, burst=2)
        home.check_user("1")
        home.check_user("2")

        with pytest.raises(RateLimitError) as caught:
            home.check_user("3")

        assert caught.value.backoff == 10
        assert sdk(standin, "paul").check_user("1").result == "1"

    def test_may_answer_in_plain_text(self, standin: Standin, home: Dropbox) -> None:
        standin.rate_limit(0.5, burst=1, style="text")
        home.check_user("1")

        with pytest.raises(RateLimitError) as caught:
            home.check_user("2")

        assert caught.value.backoff == 2

    def test_may_tell_its_delay_in_the_header_alone(self, standin: Standin) -> None:
        standin.rate_limit(0.1, burst=1, style="header")
        raw_call(standin, "check/user", json={})

        answer = raw_call(standin, "check/user", json={})

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
        assert answer.json()["error"] == {"reason": {".tag": "too_many_requests"}}

    def test_ends_when_it_is_taken_away(self, standin: Standin, home: Dropbox) -> None:
        standin.rate_limit(0.1, burst=1)
        standin.rate_limit(None)

        for number in range(3):
            home.check_user(str(number))


class TestCheckApp:
    def test_answers_an_app_that_shows_its_secret(self, standin: Standin) -> None:
        client = Dropbox(
            app_key="standin-app", app_secret="standin-secret", session=session_for(standin.base_url), timeout=20
        )

        assert client.check_app("hello").result == "hello"

    @pytest.mark.parametrize("shown", ["standin-app:wrong", "other:standin-secret", "standin-app"])
    def test_refuses_one_that_does_not(self, standin: Standin, shown: str) -> None:
        basic = f"Basic {base64.b64encode(shown.encode()).decode()}"

        answer = raw_call(standin, "check/app", json={}, headers={"Authorization": basic})

        assert (answer.status_code, answer.json()["error"]) == (401, {".tag": "invalid_access_token"})

    def test_wants_a_key_and_no_token(self, standin: Standin) -> None:
        assert 'Expecting "Basic <token>"' in raw_call(standin, "check/app", json={}).text

    def test_cannot_be_asked_with_what_is_no_base_64(self, standin: Standin) -> None:
        assert raw_call(standin, "check/app", json={}, headers={"Authorization": "Basic ü"}).status_code == 401

    def test_echoes_five_hundred_characters_at_most(self, standin: Standin) -> None:
        answers = [raw_call(standin, "check/user", json={"query": "x" * size}).status_code for size in (500, 501)]

        assert answers == [200, 400]


def test_error_summaries_end_in_a_varying_number_of_dots(standin: Standin) -> None:
    summaries = {
        raw_call(standin, "files/list_folder", json={"path": "/missing"}).json()["error_summary"] for _ in range(20)
    }

    assert len(summaries) > 1
    assert {summary.rstrip(".") for summary in summaries} == {"path/not_found/"}


def test_space_usage_counts_what_is_there(standin: Standin, home: Dropbox) -> None:
    standin.put("/b.txt", content="12345", home="olivia")

    assert home.users_get_space_usage().used == 5


def auth_error(client: Dropbox) -> Any:
    with pytest.raises(AuthError) as caught:
        client.check_user("x")
    return caught.value.error


def raw_token(standin: Standin, form: dict[str, str]) -> tuple[int, str]:
    with session_for(standin.base_url) as session:
        response = session.post(
            "https://api.dropboxapi.com/oauth2/token",
            data={"client_id": "standin-app", "client_secret": "standin-secret", **form},
            timeout=10,
        )
    return response.status_code, response.json()["error"]
