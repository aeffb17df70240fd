"""What becomes of who asks a store that is not there, says nothing, or says that it is too busy; no thread waits for long."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from bench.stores import AZURITE_KEY, _service_account
from core.base.errors import RunsheetError
from storage.backends.azure import AzureStorage
from storage.backends.errors import Denied, Throttled, Unavailable
from storage.backends.gateway import Storage
from storage.backends.gcs import GcsStorage
from storage.backends.s3 import S3Storage

# The library for Azure asks the system once, by a program, what machine it runs on.
pytestmark = [pytest.mark.process, pytest.mark.usefixtures("one_boto3_session")]
# In production three seconds to connect, ten to wait, and three attempts.
SOON = {"connect_timeout_s": 0.3, "read_timeout_s": 0.3}
CREDENTIALS = _service_account()
PATIENCE_S = 15

type Make = Callable[[str], Storage]

BACKENDS: dict[str, Make] = {
    "s3": lambda url: S3Storage(
        bucket="b", region="us-east-1", access_key_id="k", secret_access_key="s", endpoint_url=url, addressing="path", attempts=1, **SOON
    ),
    "azure": lambda url: AzureStorage(
        container="c", account="a", account_key=AZURITE_KEY, endpoint_url=f"{url}/a", attempts=1, **SOON
    ),
    "gcs": lambda url: GcsStorage(bucket="b", credentials=CREDENTIALS, endpoint_url=url, retry_s=0.2, **SOON),
}  # fmt: skip
ASKING: dict[str, Callable[[Storage], Any]] = {
    "put": lambda storage: storage.put("key", [b"1"]),
    "read": lambda storage: storage.read("key"),
    "stat": lambda storage: storage.stat("key"),
    "delete": lambda storage: storage.delete("key"),
    "listing": lambda storage: list(storage.listing()),
    "check": lambda storage: storage.check(),
}


class Answer(BaseHTTPRequestHandler):
    """Says the same to everybody."""

    status: ClassVar[int]
    headers_: ClassVar[dict[str, str]]
    body: ClassVar[bytes] = b""
    # The one before does not tell who asks to go on, and the library for S3 waits a second to be told.
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        for name, value in self.headers_.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - the names of HTTP

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    kind = type(
        "Answering",
        (Answer,),
        {"status": status, "body": body, "headers_": {n.replace("_", "-"): v for n, v in headers.items()}},
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    """Where everybody may connect and nobody is answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """Where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


@pytest.mark.parametrize("make", BACKENDS.values(), ids=BACKENDS)
class TestAStore:
    @pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
    def test_that_is_not_there_is_unavailable(self, make: Make, closed: str, ask: Callable[[Storage], Any]) -> None:
        begun = time.monotonic()

        with pytest.raises(Unavailable):
            ask(make(closed))

        assert time.monotonic() - begun < PATIENCE_S

    @pytest.mark.parametrize("what", ["put", "read", "listing"])
    def test_that_says_nothing_is_unavailable(self, make: Make, silent: str, what: str) -> None:
        begun = time.monotonic()

        with pytest.raises(Unavailable):
            ASKING[what](make(silent))

        assert time.monotonic() - begun < PATIENCE_S

    @pytest.mark.parametrize(
        ("status", "failure"),
        [(503, Unavailable), (500, Unavailable), (429, Throttled), (403, Denied), (401, Denied), (400, Denied)],
    )
    def test_that_refuses_is_told_apart(self, make: Make, status: int, failure: type[RunsheetError]) -> None:
        with answering(status) as url, pytest.raises(failure):
            make(url).put("key", [b"1"])

    @pytest.mark.parametrize("answer", [b"<html>Welcome</html>", b""], ids=["a page", "nothing"])
    @pytest.mark.parametrize("what", ["stat", "listing"])
    def test_that_is_somebody_else_is_unavailable_and_not_empty(self, make: Make, what: str, answer: bytes) -> None:
        with answering(200, answer, Content_Type="text/html") as url, pytest.raises(Unavailable):
            ASKING[what](make(url))

    def test_that_breaks_off_in_the_middle_is_unavailable(self, make: Make) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        with listening, pytest.raises(Unavailable):
            thread = threading.Thread(target=hang_up, args=(listening,), daemon=True)
            thread.start()
            make(f"http://127.0.0.1:{listening.getsockname()[1]}").read("key")


def hang_up(listening: socket.socket) -> None:
    """Begin to answer each request, and go away."""
    head = b'HTTP/1.1 206 Partial\r\nContent-Length: 1000\r\nContent-Range: bytes 0-999/1000\r\nETag: "1"\r\n\r\n'
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65_536)
            connection.sendall(head + b"beginning")
