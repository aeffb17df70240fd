import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from cloud import errors
from cloud.dropbox import Gateway, gateway_for
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from core.base.errors import RunsheetError, SoftTimeLimit
from tests.cloud.dropbox.conftest import LINK, LIST, TOKEN, union
from tests.factories import ARCHIVE
from tests.held import held_by_another_session
from tests.pooler import unpooled

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


class TestRejectedToken:
    def test_is_renewed_once_and_the_call_repeated(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.expire_tokens("olivia")

        gateway.list_directory(path=ARCHIVE)
        gateway.list_directory(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 3, TOKEN: 1}

    def test_is_not_renewed_when_somebody_else_did(self, operator: User, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        late = gateway_for(operator)
        dropbox.expire_tokens("olivia")
        gateway.list_directory(path=ARCHIVE)
        dropbox.clear_journal()

        late.list_directory(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 2}

    def test_is_given_up_after_the_second_and_asks_to_reconnect(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=401, body=union("invalid_access_token"), times=2)

        with pytest.raises(errors.TokenRejected):
            gateway.list_directory(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 2, TOKEN: 1}
        assert DropboxAccount.objects.get().needs_reconnect_reason == errors.TokenRejected.sentence()

    def test_that_only_expires_soon_is_given_up_until_the_next_try(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=401, body=union("expired_access_token"), times=2)

        with pytest.raises(errors.TokenRejected):
            gateway.list_directory(path=ARCHIVE)

        assert DropboxAccount.objects.get().needs_reconnect_reason == ""

    def test_of_a_revoked_connection_asks_to_reconnect(
        self, operator: User, gateway: Gateway, dropbox: "Standin"
    ) -> None:
        dropbox.revoke("olivia")

        with pytest.raises(errors.NeedsReconnect):
            gateway.list_directory(path=ARCHIVE)
        dropbox.clear_journal()
        with pytest.raises(errors.NeedsReconnect):
            gateway_for(operator)

        assert dropbox.calls() == {}


class TestMissingScope:
    def test_asks_to_reconnect_and_makes_no_more_calls(
        self, operator: User, gateway: Gateway, dropbox: "Standin"
    ) -> None:
        dropbox.scopes("olivia", ["account_info.read"])

        with pytest.raises(errors.ScopeMissing, match=r"files\.metadata\.read"):
            gateway.list_directory(path=ARCHIVE)
        dropbox.clear_journal()
        with pytest.raises(errors.NeedsReconnect, match=r"files\.metadata\.read"):
            gateway_for(operator)

        assert dropbox.calls() == {}


class TestPathRoot:
    def test_is_the_team_space(self, gateway: Gateway, dropbox: "Standin") -> None:
        gateway.list_directory(path="")

        assert gateway.account.root_namespace_id in (dropbox.journal()[0].path_root or "")

    def test_is_sent_for_a_person_alone_too(self, olivia: User, dropbox: "Standin") -> None:
        """Else nobody would hear of it when that person joins a team, or a team gets a space."""
        connect_account(user=olivia, refresh_token="standin-refresh-ivan")
        dropbox.clear_journal()

        gateway = gateway_for(olivia)
        gateway.list_directory(path="")

        root = gateway.account.home_namespace_id
        assert root in (dropbox.journal()[0].path_root or "")
        assert gateway.evidence(path="")["path_root"] == root

    def test_that_has_moved_is_learnt_and_the_call_repeated(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        moved = dropbox.migrate_root()

        gateway.list_directory(path=ARCHIVE)
        gateway.list_directory(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 3}
        assert DropboxAccount.objects.get().root_namespace_id == moved

    def test_that_moves_again_at_once_is_tried_later(self, gateway: Gateway, dropbox: "Standin") -> None:
        body = union("invalid_root", "team")
        body["error"]["invalid_root"] |= {"root_namespace_id": "78", "home_namespace_id": "79", "home_path": "/O"}
        dropbox.fault(LIST, status=422, body=body, times=2)

        with pytest.raises(errors.DropboxUnavailable):
            gateway.list_directory(path=ARCHIVE)


@unpooled
@pytest.mark.django_db(transaction=True)
class TestWhileAccountIsHeld:
    """Somebody renews its token and Dropbox is slow; the answer stands, also where it cannot be noted."""

    @pytest.fixture(autouse=True)
    def _wait_shortly(self, operator: User) -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            yield
            cursor.execute("RESET lock_timeout")

    def test_a_suspended_account_is_told_all_the_same(
        self, gateway: Gateway, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        dropbox.suspend("olivia")

        with held_by_another_session(DropboxAccount, gateway.account.pk), pytest.raises(errors.AccountSuspended):
            gateway.list_directory(path=ARCHIVE)

        assert "that it needs connecting is not noted" in caplog.text

    def test_a_root_that_has_moved_is_followed_all_the_same(
        self, gateway: Gateway, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.migrate_root()

        with held_by_another_session(DropboxAccount, gateway.account.pk):
            assert gateway.list_directory(path=ARCHIVE).entries == ()

        assert "its new root is not noted" in caplog.text

    def test_that_the_database_is_away_is_not_hidden(
        self, gateway: Gateway, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(type(DropboxAccount.objects.all()), "mark_lost", fail)
        dropbox.suspend("olivia")

        with pytest.raises(OperationalError):
            gateway.list_directory(path=ARCHIVE)


class TestRateLimit:
    @pytest.mark.parametrize(
        ("body", "headers", "wait_s"),
        [
            ({"error_summary": "x", "error": {"reason": {".tag": "too_many_requests"}}}, {"Retry-After": "30"}, 30),
            ({"error_summary": "x", "error": {"reason": {".tag": "new_reason"}, "more": 1}}, {"Retry-After": "30"}, 30),
            ({"error_summary": "x", "error": {"reason": {".tag": "too_many_requests"}, "retry_after": 20}}, {}, 20),
            ("too many", {"Retry-After": "30"}, 30),
            ("too many", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
            ("too many", {}, 1),
        ],
    )
    def test_says_how_long_to_wait(
        self, gateway: Gateway, dropbox: "Standin", body: Any, headers: dict[str, str], wait_s: float
    ) -> None:
        dropbox.fault(LIST, status=429, body=body, headers=headers)

        with pytest.raises(errors.RateLimited) as caught:
            gateway.list_directory(path=ARCHIVE)

        assert caught.value.retry_after_s == wait_s

    def test_pauses_everybody_who_uses_the_account(
        self, operator: User, gateway: Gateway, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        other = django_user_model.objects.create_superuser("other")
        connect_account(user=other, refresh_token="standin-refresh-olivia")
        stranger = django_user_model.objects.create_superuser("stranger")
        connect_account(user=stranger, refresh_token="standin-refresh-paul")
        dropbox.fault(LIST, status=429, headers={"Retry-After": "30"})

        with pytest.raises(errors.RateLimited):
            gateway.list_directory(path=ARCHIVE)

        for user in (operator, other):
            with pytest.raises(errors.AccountPaused):
                gateway_for(user)
        assert gateway_for(stranger)

    def test_is_not_repeated_by_the_sdk(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=429, headers={"Retry-After": "30"})

        with pytest.raises(errors.RateLimited):
            gateway.list_directory(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 1}


class TestBrokenAnswers:
    """Whatever comes, it is tried again later: never taken for "not found", never an error of the SDK's."""

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "reset"},
            {"kind": "close"},
            {"kind": "truncate"},
            {"kind": "html", "status": 502},
            {"kind": "html", "status": 409},
            {"kind": "html", "status": 404},
            {"kind": "html", "status": 403},
            {"kind": "html", "status": 401},
            {"kind": "html", "status": 200},
            {"kind": "content_type"},
            {"status": 500, "body": "oops"},
            {"status": 404, "body": "path/not_found"},
            {"status": 302, "headers": {"Location": "/elsewhere"}},
            {"status": 401, "body": union("other")},
            {"status": 401, "body": {"error_summary": "x"}},
            {"status": 403, "body": union("other")},
            {"status": 409, "body": union("path", "other")},
            {"status": 409, "body": union("other")},
            {"status": 409, "body": union("brand_new")},
            {"status": 409, "body": {"error_summary": "path/not_found/.."}},
            {"status": 409, "body": "[1]"},
            {"status": 422, "body": union("brand_new")},
            {"status": 200, "body": {}},
            {"status": 200, "body": {"entries": [{".tag": "robot", "name": "r"}], "cursor": "c", "has_more": False}},
        ],
        ids=str,
    )
    def test_are_temporary(self, gateway: Gateway, dropbox: "Standin", fault: dict[str, Any]) -> None:
        dropbox.put(f"{ARCHIVE}/a.pdf")
        dropbox.fault(LIST, **fault)

        with pytest.raises(RunsheetError) as caught:
            gateway.list_directory(path=ARCHIVE)

        assert type(caught.value) is errors.DropboxUnavailable
        assert caught.value.evidence["route"] == LIST
        assert caught.value.evidence["cause"]

    def test_that_do_not_come_are_temporary(self, gateway: Gateway, dropbox: "Standin", settings: Settings) -> None:
        settings.DROPBOX_READ_TIMEOUT_S = 0.2
        dropbox.fault(LIST, kind="delay", delay_s=1)

        with pytest.raises(errors.DropboxUnavailable):
            gateway.list_directory(path=ARCHIVE)

    def test_from_nowhere_are_temporary(self, gateway: Gateway, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = "http://127.0.0.1:1"

        with pytest.raises(errors.DropboxUnavailable):
            gateway.list_directory(path=ARCHIVE)

    def test_say_how_long_to_wait_when_dropbox_does(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=503, headers={"Retry-After": "9"})

        with pytest.raises(errors.DropboxUnavailable) as caught:
            gateway.list_directory(path=ARCHIVE)

        assert caught.value.retry_after_s == 9
        assert dropbox.calls() == {LIST: 1}

    def test_of_an_earlier_call_are_not_taken_for_this_one(
        self, gateway: Gateway, dropbox: "Standin", settings: Settings
    ) -> None:
        with pytest.raises(errors.NotFound):
            gateway.list_directory(path=ARCHIVE)
        dropbox.fault(LIST, kind="reset")

        with pytest.raises(errors.DropboxUnavailable):
            gateway.list_directory(path=ARCHIVE)

    def test_do_not_stop_the_engines_time_limit(
        self, gateway: Gateway, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_late(*_: object, **__: object) -> None:
            raise SoftTimeLimit

        monkeypatch.setattr("requests.Session.send", too_late)

        with pytest.raises(SoftTimeLimit):
            gateway.list_directory(path=ARCHIVE)


class TestRefusals:
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"status": 400, "body": 'Error in call to API function "files/list_folder"'}, errors.DropboxRefused),
            ({"status": 401, "body": union("user_suspended")}, errors.AccountSuspended),
            ({"status": 403, "body": union("no_permission")}, errors.DropboxRefused),
            ({"status": 409, "body": union("path", "restricted_content")}, errors.DropboxRefused),
            ({"status": 422, "body": union("no_permission")}, errors.DropboxRefused),
        ],
        ids=str,
    )
    def test_are_told_by_their_tag(
        self, gateway: Gateway, dropbox: "Standin", fault: dict[str, Any], error: type[RunsheetError]
    ) -> None:
        dropbox.fault(LIST, **fault)

        with pytest.raises(error):
            gateway.list_directory(path=ARCHIVE)


class TestLog:
    def test_tells_each_call_and_no_secret(
        self, gateway: Gateway, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")

        with caplog.at_level(logging.DEBUG):
            link = gateway.create_share_link(path=ARCHIVE)
            gateway.create_share_link(path=ARCHIVE)
            with pytest.raises(errors.NotFound):
                gateway.list_directory(path="/nowhere")

        own = [record.getMessage() for record in caplog.records if record.name.startswith("cloud.dropbox")]
        account = gateway.account
        assert own[0].startswith(f"{LINK} path={ARCHIVE} account={account.account_id} ok in ")
        assert own[2].startswith(
            f"{LIST} path=/nowhere account={account.account_id} not_found (409 path/not_found) in "
        )
        for secret in (link.url, account.access_token, account.refresh_token, account.email):
            assert secret not in caplog.text
