import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import sdk


class TestJournal:
    def test_tells_who_called_what(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/A/")
        team.files_list_folder("/A", recursive=True)

        (call,) = standin.journal()

        account = standin.account("olivia")
        assert (call.route, call.path, call.account_id, call.status) == (
            "files/list_folder",
            "/A",
            account.account_id,
            200,
        )
        assert call.args["recursive"] is True
        assert account.root_namespace_id in (call.path_root or "")

    def test_has_the_request_id_of_an_error(self, standin: Standin, home: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            home.files_list_folder("/missing")

        (call,) = standin.journal()
        assert (call.status, call.request_id) == (409, caught.value.request_id)

    def test_is_filtered_by_route_path_and_place(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/A/", "/B/", home="olivia")
        home.files_list_folder("/A")
        home.files_list_folder("/B")
        home.check_user("x")

        assert [call.path for call in standin.journal("files/list_folder")] == ["/A", "/B"]
        assert [call.route for call in standin.journal(path="/a")] == ["files/list_folder"]
        assert len(standin.journal(path="/*")) == 2
        assert [call.route for call in standin.journal(after=standin.journal()[1].seq)] == ["check/user"]

    def test_counts_calls_by_route_until_it_is_cleared(self, standin: Standin, home: Dropbox) -> None:
        home.check_user("x")
        home.check_user("y")
        assert standin.calls() == {"check/user": 2}

        standin.clear_journal()

        assert (standin.calls(), standin.journal()) == ({}, ())

    def test_holds_no_secret(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        tokens = standin.issue_tokens("olivia")
        url = team.sharing_create_shared_link_with_settings("/A").url
        team.sharing_get_shared_link_metadata(url, link_password="open sesame")
        Dropbox(
            oauth2_refresh_token="standin-refresh-olivia",
            app_key="standin-app",
            app_secret="standin-secret",
            session=team._session,
        ).check_user("x")

        told = repr(standin.journal())

        assert "refresh_token" in told, "the grant type is told"
        for secret in (tokens.access_token, "standin-refresh-olivia", "standin-secret", "open sesame", "rlkey"):
            assert secret not in told

    def test_tells_of_a_connection_that_was_broken(self, standin: Standin) -> None:
        standin.fault("check/user", kind="reset")
        with pytest.raises(Exception, match="reset"):
            sdk(standin).check_user("x")

        (call,) = standin.journal()

        assert (call.status, call.fault) == (None, "reset")


class TestLatency:
    def test_is_added_to_every_call_without_holding_up_others(self, standin: Standin) -> None:
        standin.latency(100)
        clients = [sdk(standin) for _ in range(8)]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda client: client.check_user("x"), clients))

        calls = standin.journal("check/user")
        assert all(call.duration_s >= 0.1 for call in calls)
        began, ended = (
            sorted(call.monotonic_s for call in calls),
            min(call.monotonic_s + call.duration_s for call in calls),
        )
        assert began[1] < ended, "they waited side by side"

    def test_is_back_to_the_start_after_a_reset(self, standin: Standin, home: Dropbox) -> None:
        standin.latency(100)
        standin.reset()

        sdk(standin).check_user("x")

        assert standin.journal("check/user")[0].duration_s < 0.1


class TestTwoClients:
    def test_at_once_get_one_link_between_them(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/A/{number}/" for number in range(20)))
        barrier = threading.Barrier(2)

        def share_all(_: int) -> set[str]:
            barrier.wait(timeout=10)
            return {url_of(team, f"/A/{number}") for number in range(20)}

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(share_all, range(2))

        assert first == second
        assert sorted(call.status or 0 for call in standin.journal()) == [200] * 20 + [409] * 20


def url_of(client: Dropbox, path: str) -> str:
    try:
        return str(client.sharing_create_shared_link_with_settings(path).url)
    except ApiError as error:
        return str(error.error.get_shared_link_already_exists().get_metadata().url)
