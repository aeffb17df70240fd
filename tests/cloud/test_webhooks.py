"""The webhook, told of changes by the stand-in over HTTP and by others who have no business there."""

import hashlib
import hmac
import json
import logging
import time
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from cloud import webhooks
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from core.base.clock import now
from tests.factories import account
from tests.held import held_by_another_session

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

WEBHOOK = "/dropbox/webhook/"
OLIVIA = "dbid:" + "o" * 35
PAUL = "dbid:" + "p" * 35
NOBODY = "dbid:" + "x" * 35

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


class BrokenStream:
    """What is left of a connection that the other side has closed."""

    def read(self, *_: object) -> bytes:
        raise ConnectionResetError


@pytest.fixture
def browser() -> Client:
    """It would be told that a token against forgery is missing, as a browser is."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def connected(olivia: User) -> DropboxAccount:
    made = account(user=olivia, account_id=OLIVIA)
    made.save()
    return made


def signature(body: bytes, *, secret: str = "standin-secret") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(browser: Client, body: bytes, *, signed: str | None = None) -> Any:
    headers = {"X-Dropbox-Signature": signature(body) if signed is None else signed}
    return browser.post(WEBHOOK, body, content_type="application/json", headers=headers)


def naming(*accounts: object) -> bytes:
    return json.dumps({"list_folder": {"accounts": accounts}, "delta": {"users": [1]}}).encode()


class TestChallenge:
    def test_is_echoed_as_plain_text(self, browser: Client) -> None:
        answer = browser.get(WEBHOOK, {"challenge": "<script>alert(1)</script>"})

        assert answer.status_code == 200
        assert answer.text == "<script>alert(1)</script>"
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("challenge", ["", "c" * 501])
    def test_is_refused_where_it_is_none(self, browser: Client, challenge: str) -> None:
        assert browser.get(WEBHOOK, {"challenge": challenge}).status_code == 400

    def test_starts_no_session(self, browser: Client) -> None:
        assert browser.get(WEBHOOK, {"challenge": "c"}).cookies == {}


class TestNotification:
    def test_is_stored(self, browser: Client, connected: DropboxAccount) -> None:
        before = now()

        answer = send(browser, naming(OLIVIA))

        connected.refresh_from_db()
        assert answer.status_code == 200
        assert answer.cookies == {}
        assert connected.changed_at is not None
        assert connected.changed_at >= before

    def test_is_stored_for_everybody_who_has_connected_the_account(
        self, browser: Client, connected: DropboxAccount
    ) -> None:
        account(user=User.objects.create_user("paul"), account_id=OLIVIA).save()

        send(browser, naming(OLIVIA))

        assert DropboxAccount.objects.filter(changed_at__isnull=False).count() == 2

    def test_leaves_other_accounts_alone(self, browser: Client, connected: DropboxAccount) -> None:
        answer = send(browser, naming(NOBODY))

        connected.refresh_from_db()
        assert answer.status_code == 200
        assert connected.changed_at is None

    @pytest.mark.parametrize("odd", [None, 1, {}, ["list"], "\0", "\ud800", OLIVIA + "o", ""])
    def test_is_stored_beside_what_can_be_no_account(
        self, browser: Client, connected: DropboxAccount, odd: object
    ) -> None:
        assert send(browser, naming(odd, OLIVIA)).status_code == 200

        connected.refresh_from_db()
        assert connected.changed_at is not None

    @pytest.mark.parametrize(
        "body", [b"[]", b"null", b'{"list_folder": 1}', b'{"list_folder": {"accounts": "dbid:"}}', b'{"delta": {}}']
    )
    def test_of_an_unknown_form_is_ignored(self, browser: Client, connected: DropboxAccount, body: bytes) -> None:
        assert send(browser, body).status_code == 200

        connected.refresh_from_db()
        assert connected.changed_at is None

    @pytest.mark.parametrize("body", [b" ", b"{", b"\xff", b"[" * 100_000])
    def test_that_is_no_json_is_refused(self, browser: Client, body: bytes) -> None:
        assert send(browser, body).status_code == 400

    def test_is_stored_by_one_statement(
        self, browser: Client, connected: DropboxAccount, django_assert_num_queries: object
    ) -> None:
        # Besides it: the time, a savepoint, the savepoint's end, whether somebody is left, and whether anything is watched there.
        with django_assert_num_queries(6):  # type: ignore[operator]  # the plugin names no type for it
            send(browser, naming(*[f"dbid:{n}" for n in range(5_000)], OLIVIA))


class TestForgery:
    @pytest.mark.parametrize(
        "signed", ["", "0" * 64, "é", signature(naming(OLIVIA), secret=""), signature(naming(OLIVIA), secret="guess")]
    )
    def test_changes_nothing(self, browser: Client, connected: DropboxAccount, signed: str) -> None:
        answer = send(browser, naming(OLIVIA), signed=signed)

        connected.refresh_from_db()
        assert answer.status_code == 403
        assert connected.changed_at is None

    def test_of_the_body_under_another_ones_signature_changes_nothing(
        self, browser: Client, connected: DropboxAccount
    ) -> None:
        answer = send(browser, naming(OLIVIA), signed=signature(naming(NOBODY)))

        connected.refresh_from_db()
        assert answer.status_code == 403
        assert connected.changed_at is None

    def test_by_sheer_size_is_refused_before_anything_is_computed(self, browser: Client) -> None:
        body = b" " * (webhooks.LARGEST_BODY_BYTES + 1)

        assert send(browser, body).status_code == 413

    @pytest.mark.parametrize(
        ("announced", "status"),
        [("", 411), ("many", 411), ("-1", 411), ("²", 411), (str(2 * 256 * 1024), 413), ("9" * 5_000, 413)],
    )
    def test_by_an_odd_length_is_refused_before_anything_is_read(
        self, connected: DropboxAccount, announced: str, status: int
    ) -> None:
        body = naming(OLIVIA)
        request = RequestFactory().post(WEBHOOK, body, content_type="application/json")
        request.META |= {"CONTENT_LENGTH": announced, "HTTP_X_DROPBOX_SIGNATURE": signature(body)}

        answer = webhooks.webhook(request)

        assert answer.status_code == status
        assert request.read() == body

    def test_by_a_body_that_ends_too_soon_is_refused(self, connected: DropboxAccount) -> None:
        request = RequestFactory().post(WEBHOOK, naming(OLIVIA), content_type="application/json")
        request._stream = BrokenStream()  # type: ignore[assignment]  # no more of one is needed

        assert webhooks.webhook(request).status_code == 400

    @pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
    def test_by_another_method_is_refused(self, browser: Client, method: str) -> None:
        assert getattr(browser, method)(WEBHOOK).status_code == 405

    def test_compares_in_constant_time(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = []
        monkeypatch.setattr(hmac, "compare_digest", lambda *given: compared.append(given))

        assert send(browser, naming(OLIVIA), signed="f").status_code == 403

        assert compared == [(signature(naming(OLIVIA)).encode(), b"f")]


class TestWithoutSecret:
    def test_nothing_is_believed_and_the_log_says_why(
        self, browser: Client, connected: DropboxAccount, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DROPBOX_APP_SECRET = ""

        answer = send(browser, naming(OLIVIA), signed=signature(naming(OLIVIA), secret=""))

        connected.refresh_from_db()
        assert answer.status_code == 404
        assert connected.changed_at is None
        assert "set DROPBOX_APP_SECRET" in caplog.text

    def test_no_challenge_is_echoed(self, browser: Client, settings: Settings) -> None:
        settings.DROPBOX_APP_SECRET = ""

        assert browser.get(WEBHOOK, {"challenge": "c"}).status_code == 404


@pytest.mark.django_db(transaction=True)
class TestWhileAccountIsHeld:
    def test_asks_to_be_told_again_in_under_a_second(self, browser: Client, connected: DropboxAccount) -> None:
        with held_by_another_session(DropboxAccount, connected.pk):
            begun = time.monotonic()
            answer = send(browser, naming(OLIVIA))
            took_s = time.monotonic() - begun

        assert answer.status_code == 503
        assert took_s < 1
        assert send(browser, naming(OLIVIA)).status_code == 200

    def test_stores_it_for_the_others(self, browser: Client, connected: DropboxAccount) -> None:
        paul = account(user=User.objects.create_user("paul"), account_id=PAUL)
        paul.save()

        with held_by_another_session(DropboxAccount, connected.pk):
            assert send(browser, naming(OLIVIA, PAUL)).status_code == 503

        paul.refresh_from_db()
        assert paul.changed_at is not None

    def test_waits_a_little_for_the_one_that_is_held(self, browser: Client, connected: DropboxAccount) -> None:
        with held_by_another_session(DropboxAccount, connected.pk) as let_go:
            Timer(0.1, let_go).start()
            assert send(browser, naming(OLIVIA)).status_code == 200

        connected.refresh_from_db()
        assert connected.changed_at is not None

    def test_leaves_the_wait_of_others_as_it_was(self, browser: Client, connected: DropboxAccount) -> None:
        send(browser, naming(OLIVIA))

        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("10s",)

    def test_does_not_hide_that_the_database_is_away(
        self, browser: Client, connected: DropboxAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> int:
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(type(DropboxAccount.objects.all()), "mark_changed", fail)

        answer = send(browser, naming(OLIVIA))

        assert answer.status_code == 503
        assert "The database does not answer" in answer.text


class TestWithoutTables:
    def test_asks_to_be_told_again_and_says_why(
        self, browser: Client, connected: DropboxAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cloud_dropboxaccount RENAME TO gone")

        with transaction.atomic():
            answer = send(browser, naming(OLIVIA))

        assert answer.status_code == 503
        assert "manage.py migrate" in caplog.text


@pytest.mark.django_db(transaction=True)
class TestFromDropbox:
    def test_tells_of_a_change_over_http(
        self, olivia: User, dropbox: "Standin", live_server: LiveServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        connected = connect_account(user=olivia, refresh_token="standin-refresh-olivia")
        dropbox.webhook(f"{live_server.url}{WEBHOOK}", every_change=False)

        delivered = dropbox.send_webhook("olivia", "paul")

        connected.refresh_from_db()
        assert delivered["status"] == 200
        assert connected.changed_at is not None
        assert "changes in 2 accounts, 1 of them connected here" in caplog.text

    def test_is_refused_with_another_apps_secret(
        self, olivia: User, dropbox: "Standin", live_server: LiveServer
    ) -> None:
        connected = connect_account(user=olivia, refresh_token="standin-refresh-olivia")
        dropbox.webhook(f"{live_server.url}{WEBHOOK}", every_change=False, secret="another app's")

        delivered = dropbox.send_webhook("olivia")

        connected.refresh_from_db()
        assert delivered["status"] == 403
        assert connected.changed_at is None
