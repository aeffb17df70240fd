import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

from cloud import errors
from cloud.dropbox import gateway_for
from cloud.dropbox.tokens import renew_access_token, request_grant
from cloud.models import DropboxAccount
from core.base.clock import now
from core.base.errors import RunsheetError
from tests.cloud.dropbox.conftest import LIST, TOKEN
from tests.factories import ARCHIVE
from tests.pooler import unpooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropbox_standin.client import Standin

REFRESH = "standin-refresh-olivia"


def in_threads(count: int, work: "Callable[[], object]") -> list[BaseException]:
    """Run it in so many threads at the same time; what they raised."""
    barrier, raised = threading.Barrier(count), []

    def run() -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db
class TestRequestGrant:
    def test_gives_a_token_its_end_and_its_scopes(self, dropbox: "Standin") -> None:
        grant = request_grant(refresh_token=REFRESH)

        assert grant.access_token
        assert grant.expires_at > now() + timedelta(hours=3)
        assert grant.scopes
        assert "sharing.write" in grant.scopes

    def test_shows_no_token(self, dropbox: "Standin") -> None:
        grant = request_grant(refresh_token=REFRESH)

        assert grant.access_token not in repr(grant)

    def test_needs_an_app(self, dropbox: "Standin", settings: Settings) -> None:
        settings.DROPBOX_APP_KEY = ""

        with pytest.raises(errors.AppKeyMissing, match="Set DROPBOX_APP_KEY"):
            request_grant(refresh_token=REFRESH)

        assert dropbox.calls() == {}

    @pytest.mark.parametrize("setting", ["DROPBOX_APP_KEY", "DROPBOX_APP_SECRET"])
    def test_says_when_dropbox_does_not_know_the_app(
        self, dropbox: "Standin", settings: Settings, setting: str
    ) -> None:
        setattr(settings, setting, "wrong")

        with pytest.raises(errors.AppRefused):
            request_grant(refresh_token=REFRESH)

    def test_says_when_dropbox_refuses_the_token(self, dropbox: "Standin") -> None:
        with pytest.raises(errors.RefreshTokenRefused):
            request_grant(refresh_token="made-up")

    def test_says_how_long_to_wait(self, dropbox: "Standin") -> None:
        dropbox.fault(TOKEN, status=429, headers={"Retry-After": "12"})

        with pytest.raises(errors.RateLimited) as caught:
            request_grant(refresh_token=REFRESH)

        assert caught.value.retry_after_s == 12

    def test_sends_no_secret_when_there_is_none(self, dropbox: "Standin", settings: Settings) -> None:
        settings.DROPBOX_APP_SECRET = ""

        with pytest.raises(RunsheetError):
            request_grant(refresh_token=REFRESH)

        assert dropbox.calls() == {TOKEN: 1}

    def test_does_not_need_to_be_told_the_scopes(self, dropbox: "Standin") -> None:
        dropbox.fault(TOKEN, status=200, body={"access_token": "sl.1", "token_type": "bearer", "expires_in": 14400})

        assert request_grant(refresh_token=REFRESH).scopes is None

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            ("account_info.read  sharing.write", {"account_info.read", "sharing.write"}),
            ("account_info.read a\x00b <script> \ud800", {"account_info.read"}),
            ("", set()),
            (["sharing.write"], None),
            (7, None),
        ],
    )
    def test_keeps_of_the_scopes_what_is_one(self, dropbox: "Standin", told: Any, kept: set[str] | None) -> None:
        dropbox.fault(TOKEN, status=200, body={"access_token": "sl.1", "expires_in": 60, "scope": told})

        assert request_grant(refresh_token=REFRESH).scopes == kept

    def test_trusts_a_token_for_a_day_at_most(self, dropbox: "Standin") -> None:
        dropbox.fault(TOKEN, status=200, body={"access_token": "sl.1", "expires_in": 10**12})

        assert request_grant(refresh_token=REFRESH).expires_at < now() + timedelta(days=2)

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "reset"},
            {"kind": "truncate"},
            {"kind": "html", "status": 400},
            {"kind": "html", "status": 200},
            {"status": 500},
            {"status": 403, "body": "no"},
            {"status": 200, "body": {"access_token": "sl.1"}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": "soon"}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": -5}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": 0}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": True}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": 1.5}},
            {"status": 200, "body": {"access_token": "sl.1", "expires_in": None}},
            {"status": 200, "body": '{"access_token": "sl.1", "expires_in": 1e999}'},
            {"status": 200, "body": {"access_token": None, "expires_in": 60}},
            {"status": 200, "body": {"access_token": "", "expires_in": 60}},
            {"status": 200, "body": {"access_token": "a b", "expires_in": 60}},
            {"status": 200, "body": {"access_token": "a\r\nX: y", "expires_in": 60}},
            {"status": 200, "body": {"access_token": "\u00fc", "expires_in": 60}},
            {"status": 200, "body": {"access_token": "a" * 9_000, "expires_in": 60}},
            {"status": 200, "body": {"access_token": ["sl.1"], "expires_in": 60}},
            {"status": 200, "body": "[" * 100_000},
            {"status": 400, "body": "[" * 100_000},
            {"status": 400, "body": {"error": "brand_new"}},
            {"status": 400, "body": {"error": ["invalid_grant"]}},
            {"status": 200, "body": "[]"},
        ],
        ids=str,
    )
    def test_may_be_tried_again_when_the_answer_is_broken(self, dropbox: "Standin", fault: dict[str, Any]) -> None:
        dropbox.fault(TOKEN, **fault)

        with pytest.raises(RunsheetError) as caught:
            request_grant(refresh_token=REFRESH)

        assert type(caught.value) is errors.DropboxUnavailable


@pytest.mark.django_db
class TestRenewAccessToken:
    def test_does_not_tell_the_secrets_that_an_answer_repeats(
        self, operator: User, dropbox: "Standin", settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DROPBOX_APP_SECRET = "a-secret-of-the-app"
        said = "standin-refresh-olivia and a-secret-of-the-app are wrong"
        dropbox.fault(TOKEN, status=400, body={"error": "invalid_grant", "error_description": said})
        DropboxAccount.objects.update(access_token="")

        with pytest.raises(errors.RefreshTokenRefused) as caught:
            renew_access_token(DropboxAccount.objects.get())

        assert caught.value.evidence["text"] == "[redacted] and [redacted] are wrong"

    def test_leaves_a_good_token_alone(self, operator: User, dropbox: "Standin") -> None:
        renew_access_token(DropboxAccount.objects.get())

        assert dropbox.calls() == {}

    def test_keeps_the_new_token_for_others(self, operator: User, dropbox: "Standin") -> None:
        account = DropboxAccount.objects.get()
        old = account.access_token

        renew_access_token(account, rejected=old)

        assert account.access_token == DropboxAccount.objects.get().access_token != old

    def test_takes_over_what_somebody_else_renewed(self, operator: User, dropbox: "Standin") -> None:
        account = DropboxAccount.objects.get()
        old = account.access_token
        DropboxAccount.objects.update(access_token="sl.newer")

        renew_access_token(account, rejected=old)

        assert account.access_token == "sl.newer"
        assert dropbox.calls() == {}

    def test_marks_an_account_whose_refresh_token_is_refused(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(refresh_token="made-up", access_token="")

        with pytest.raises(errors.RefreshTokenRefused):
            renew_access_token(DropboxAccount.objects.get())

        assert DropboxAccount.objects.get().needs_reconnect_reason.startswith("Dropbox has ended this connection")

    def test_does_not_mark_an_account_when_dropbox_is_away(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(access_token="")
        dropbox.fault(TOKEN, status=503)

        with pytest.raises(errors.DropboxUnavailable):
            renew_access_token(DropboxAccount.objects.get())

        assert DropboxAccount.objects.get().needs_reconnect_reason == ""

    def test_says_when_the_account_was_disconnected_meanwhile(self, operator: User) -> None:
        account = DropboxAccount.objects.get()
        DropboxAccount.objects.all().delete()

        with pytest.raises(errors.DropboxNotConnected):
            renew_access_token(account)

    def test_says_when_another_account_was_connected_meanwhile(self, operator: User, dropbox: "Standin") -> None:
        account = DropboxAccount.objects.get()
        DropboxAccount.objects.update(account_id="dbid:another")

        with pytest.raises(errors.Reconnected):
            renew_access_token(account, rejected=account.access_token)
        assert TOKEN not in dropbox.calls()


@pytest.mark.django_db(transaction=True)
class TestManyWorkersAtOnce:
    def test_make_one_refresh_call(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(access_token="", access_token_expires_at=None)

        raised = in_threads(16, lambda: gateway_for(operator).list_directory(path=""))

        assert raised == []
        assert dropbox.calls() == {TOKEN: 1, LIST: 16}

    def test_make_one_refresh_call_when_the_token_is_rejected(self, operator: User, dropbox: "Standin") -> None:
        dropbox.expire_tokens("olivia")

        raised = in_threads(8, lambda: gateway_for(operator).list_directory(path=""))

        assert raised == []
        assert dropbox.calls()[TOKEN] == 1

    def test_ask_once_whether_the_refresh_token_is_still_good(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(refresh_token="made-up", access_token="")

        raised = in_threads(16, lambda: gateway_for(operator))

        assert len(raised) == 16
        assert all(isinstance(error, errors.NeedsReconnect) for error in raised)
        assert dropbox.calls() == {TOKEN: 1}


@unpooled
@pytest.mark.django_db(transaction=True)
class TestLockedAccount:
    """Somebody renews the token and Dropbox is slow to answer them."""

    @pytest.fixture
    def locked(self, operator: User) -> "Iterator[None]":
        DropboxAccount.objects.update(access_token_expires_at=now() + timedelta(minutes=6))
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            try:
                with transaction.atomic():
                    DropboxAccount.objects.select_for_update().get()
                    held.set()
                    done.wait(20)
            finally:
                connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 100")
        yield
        done.set()
        thread.join()
        connection.close()

    def test_is_a_reason_to_try_again(self, locked: None) -> None:
        with pytest.raises(errors.DropboxUnavailable):
            renew_access_token(DropboxAccount.objects.get())

    @pytest.mark.long
    def test_is_ended_by_postgresql_if_dropbox_dribbles(self, operator: User, dropbox: "Standin") -> None:
        """The time-out of a read begins anew with each byte; a transaction may not idle for so long."""
        DropboxAccount.objects.update(access_token_expires_at=now() + timedelta(minutes=1))
        dropbox.latency(1_500)
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 300")

        with pytest.raises(errors.DropboxUnavailable):
            renew_access_token(DropboxAccount.objects.get())

        assert DropboxAccount.objects.exists(), "the next query has a connection of its own"

    def test_does_not_hide_a_rate_limit(self, operator: User, dropbox: "Standin", locked: None) -> None:
        dropbox.fault(LIST, status=429, headers={"Retry-After": "30"})

        with pytest.raises(errors.RateLimited):
            gateway_for(operator).list_directory(path=ARCHIVE)

        assert DropboxAccount.objects.get().paused_until is None

    def test_is_told_from_other_troubles_of_the_database(
        self, operator: User, dropbox: "Standin", locked: None
    ) -> None:
        gateway = gateway_for(operator)
        dropbox.fault(LIST, status=429)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET statement_timeout = 100")

        with pytest.raises(OperationalError, match="statement timeout"):
            renew_access_token(gateway.account)
        with pytest.raises(OperationalError, match="statement timeout"):
            gateway.list_directory(path=ARCHIVE)
