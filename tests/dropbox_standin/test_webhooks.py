import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import pytest

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import eventually

type Received = tuple[str, bytes]


class Receiver(HTTPServer):
    """Answers the challenge and keeps what is posted to it; `statuses` are its next answers, and then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Recorder)
        self.received: Queue[Received] = Queue()
        self.statuses: Queue[int] = Queue()
        self.echo = "{}"
        self.url = f"http://127.0.0.1:{self.server_port}/webhook"


class Recorder(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        challenge = parse_qs(urlsplit(self.path).query)["challenge"][0]
        self.answer(self.server.echo.format(challenge).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((self.headers["X-Dropbox-Signature"], body))
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        status = 200 if self.server.statuses.empty() else self.server.statuses.get()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestWebhook:
    def test_tells_of_a_change_with_a_signature(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url)
        standin.put("/A/")

        signature, body = receiver.received.get(timeout=10)

        members = {standin.account(name).account_id for name in ("olivia", "paul", "nora")}
        assert set(json.loads(body)["list_folder"]["accounts"]) == members
        assert signature == hmac.new(b"standin-secret", body, hashlib.sha256).hexdigest()

    def test_tells_of_changes_that_come_together_once(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url)
        for number in range(5):
            standin.put(f"/{number}/", home="ivan")
        receiver.received.get(timeout=10)

        standin.send_webhook("ivan")

        assert receiver.received.qsize() < 5

    def test_can_be_sent_on_demand(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url, every_change=False, secret="another")
        standin.put("/A/")

        delivery = standin.send_webhook("ivan")

        signature, body = receiver.received.get(timeout=10)
        assert json.loads(body)["list_folder"]["accounts"] == [standin.account("ivan").account_id]
        assert signature == hmac.new(b"another", body, hashlib.sha256).hexdigest()
        assert delivery["status"] == 200
        assert receiver.received.empty()
        assert len(standin.webhook_deliveries()) == 1

    def test_notes_that_nobody_answered(self, standin: Standin) -> None:
        standin.webhook("http://127.0.0.1:9/webhook", every_change=False, verify=False)

        delivery = standin.send_webhook()

        assert delivery["status"] is None
        assert "refused" in delivery["problem"]

    @pytest.mark.parametrize(
        "url", ["https://example.com/hook", "ftp://127.0.0.1/", "http://10.0.0.1/", "http:///", "http://[::2]/"]
    )
    def test_goes_to_loopback_only(self, standin: Standin, url: str) -> None:
        with pytest.raises(StandinError, match="loopback address only"):
            standin.webhook(url)

    def test_ends_when_the_address_is_taken_away(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url)
        receiver.statuses.put(503)
        standin.send_webhook("ivan")
        standin.remove_webhook()
        standin.put("/A/")
        standin.advance_clock(11)

        with pytest.raises(StandinError, match="url"):
            standin.send_webhook("olivia")
        eventually(lambda: standin.webhook_owed() == 0)
        assert len(standin.webhook_deliveries()) == 1

    def test_needs_an_address(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="url"):
            standin.send_webhook()

    def test_hears_nothing_of_who_has_disconnected_the_app(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url)
        standin.revoke("paul")
        standin.scopes("nora", ["account_info.read"])
        standin.put("/A/")

        _, body = receiver.received.get(timeout=10)

        assert json.loads(body)["list_folder"]["accounts"] == [standin.account("olivia").account_id]
        with pytest.raises(StandinError, match="none of these accounts is connected"):
            standin.send_webhook("paul")

    @pytest.mark.parametrize(
        ("change", "concerned"),
        [
            (lambda standin: standin.put("/A/new/"), {"olivia", "nora"}),
            (lambda standin: standin.delete("/A/b"), {"olivia", "nora"}),
            (lambda standin: standin.put("/B/new/"), {"olivia", "nora", "paul"}),
            (lambda standin: standin.put("/A/new/", home="paul"), {"paul"}),
            (lambda standin: standin.sight("paul", "/A", "full"), {"paul"}),
            (lambda standin: standin.sight("nora", "/B", "read_only"), {"nora"}),
            (lambda standin: standin.clear_sights(), {"paul"}),
        ],
    )
    def test_goes_to_whose_sight_has_changed(
        self, standin: Standin, receiver: Receiver, change: Callable[[Standin], None], concerned: set[str]
    ) -> None:
        standin.reset(seed={"team": ["/A/b/", "/B/"], "sights": [{"account": "paul", "path": "/A", "sight": "none"}]})
        standin.webhook(receiver.url)

        change(standin)

        _, body = receiver.received.get(timeout=10)
        assert set(json.loads(body)["list_folder"]["accounts"]) == {
            standin.account(one).account_id for one in concerned
        }

    def test_of_a_change_that_concerns_nobody_connected_is_not_sent(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url)
        standin.revoke("ivan")
        standin.put("/A/", home="ivan")
        standin.send_webhook("olivia")

        assert len(standin.webhook_deliveries()) == 1


class TestChallenge:
    def test_is_echoed_by_an_address_that_wants_notifications(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(f"{receiver.url}?app=1", every_change=False)

        assert standin.send_webhook("ivan")["url"] == f"{receiver.url}?app=1"

    def test_that_is_not_echoed_keeps_the_address_out(self, standin: Standin, receiver: Receiver) -> None:
        receiver.echo = "<p>{}</p>"

        with pytest.raises(StandinError, match="did not answer with the challenge itself"):
            standin.webhook(receiver.url)
        with pytest.raises(StandinError, match="url"):
            standin.send_webhook()

    def test_has_to_be_answered_by_200(self, standin: Standin, receiver: Receiver) -> None:
        receiver.statuses.put(201)

        with pytest.raises(StandinError, match="with 201, not with 200"):
            standin.webhook(receiver.url)

    def test_has_to_be_answered_at_all(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="nobody answered the challenge"):
            standin.webhook("http://127.0.0.1:9/webhook")


class TestRetry:
    @pytest.mark.parametrize("status", [500, 204, 302])
    def test_follows_an_answer_that_is_no_200(self, standin: Standin, receiver: Receiver, status: int) -> None:
        standin.webhook(receiver.url, every_change=False)
        receiver.statuses.put(status)

        assert standin.send_webhook("ivan")["status"] == status
        first = receiver.received.get(timeout=10)
        standin.advance_clock(11)

        assert receiver.received.get(timeout=10) == first
        eventually(lambda: [each["attempt"] for each in standin.webhook_deliveries()] == [1, 2])

    def test_ends_after_ten_minutes(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url, every_change=False)
        for _ in range(8):
            receiver.statuses.put(503)
        standin.send_webhook("ivan")

        standin.advance_clock(599)
        eventually(lambda: len(standin.webhook_deliveries()) == 6)
        standin.advance_clock(2)
        eventually(lambda: len(standin.webhook_deliveries()) == 7)
        standin.advance_clock(3600)
        standin.send_webhook("olivia")

        deliveries = standin.webhook_deliveries()
        assert [each["attempt"] for each in deliveries] == [1, 2, 3, 4, 5, 6, 7, 1]
        assert [each["gave_up"] for each in deliveries].index(True) == 6

    def test_spares_who_has_disconnected_the_app_since(self, standin: Standin, receiver: Receiver) -> None:
        standin.webhook(receiver.url, every_change=False)
        receiver.statuses.put(503)
        standin.send_webhook("ivan", "olivia")
        receiver.received.get(timeout=10)
        standin.revoke("ivan")

        standin.advance_clock(11)

        _, body = receiver.received.get(timeout=10)
        assert json.loads(body)["list_folder"]["accounts"] == [standin.account("olivia").account_id]
