import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import pytest

from dropbox_standin.client import Standin, StandinError

type Received = tuple[str, bytes]


class Receiver(HTTPServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Recorder)
        self.received: Queue[Received] = Queue()
        self.url = f"http://127.0.0.1:{self.server_port}/webhook"


class Recorder(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((self.headers["X-Dropbox-Signature"], body))
        self.send_response(200)
        self.end_headers()

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
        standin.webhook("http://127.0.0.1:9/webhook", every_change=False)

        delivery = standin.send_webhook()

        assert delivery["status"] is None
        assert "refused" in delivery["problem"]

    @pytest.mark.parametrize(
        "url", ["https://example.com/hook", "ftp://127.0.0.1/", "http://10.0.0.1/", "http:///", "http://[::2]/"]
    )
    def test_goes_to_loopback_only(self, standin: Standin, url: str) -> None:
        with pytest.raises(StandinError, match="loopback address only"):
            standin.webhook(url)

    def test_needs_an_address(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="url"):
            standin.send_webhook()
