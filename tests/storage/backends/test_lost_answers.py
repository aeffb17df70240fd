"""A request that came through, and whose answer was lost: it is made again by itself, and finds what it has put."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from storage.backends.errors import Exists, Unavailable
from storage.backends.gateway import Storage
from tests.storage.backends.asking import LARGE, chunks
from tests.storage.backends.conftest import EACH_SERVER

pytestmark = [pytest.mark.process]
# How the request begins that makes the file be there: a small one, and the last one of a large file.
LAST = {"s3": (b"PUT ", b"POST "), "azure": (b"PUT ", b"comp=blocklist"), "gcs": (b"uploadType=multipart", b"")}


class Line:
    """Between us and the store.

    Attributes:
        lost: how many answers did not come back.
        on: what a request holds whose answer is lost, once; nothing: none is.
    """

    def __init__(self, address: str) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._whither = urlsplit(address)
        self.on = b""
        self.lost = 0
        self.url = address.replace(self._whither.netloc, f"127.0.0.1:{self._listening.getsockname()[1]}")

    def serve(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            there = socket.create_connection((self._whither.hostname, self._whither.port))
            losing = threading.Event()
            for act in (self._asks, self._answers):
                threading.Thread(target=act, args=(here, there, losing), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _asks(self, here: socket.socket, there: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError), there:
            while piece := here.recv(65_536):
                if self.on and self.on in piece.partition(b"\r\n")[0]:
                    self.on = b""
                    losing.set()
                there.sendall(piece)

    def _answers(self, here: socket.socket, there: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError), here:
            while piece := there.recv(65_536):
                if losing.is_set() and not piece.startswith(b"HTTP/1.1 100"):
                    self.lost += 1
                    here.shutdown(socket.SHUT_RDWR)
                    return
                here.sendall(piece)


@contextmanager
def line_to(address: str) -> Iterator[Line]:
    line = Line(address)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join()


@pytest.fixture
def line(kind: str, running: Any) -> Iterator[Line]:
    with line_to(running.options(kind)["endpoint_url"]) as line:
        yield line


@pytest.mark.parametrize("kind", EACH_SERVER)
class TestAnAnswerThatIsLost:
    @pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
    def test_is_no_reason_to_take_what_was_put_for_somebody_elses(
        self, line: Line, make: Callable[..., Storage], kind: str, at: str, is_large: bool
    ) -> None:
        if not (last := LAST[kind][is_large]):
            pytest.skip(
                "The server gives another address for the rest of a large file, which this line does not lead to."
            )
        storage, content = make(endpoint_url=line.url), LARGE if is_large else b"A deed."
        storage.check()
        line.on = last

        written = storage.put(f"{at}/deed", chunks(content), exclusive=True)

        assert (line.lost, written.size) == (1, len(content))
        assert storage.read(f"{at}/deed") == content

    def test_is_no_reason_to_take_somebody_elses_for_our_own(
        self, line: Line, make: Callable[..., Storage], kind: str, at: str
    ) -> None:
        storage = make(endpoint_url=line.url)
        storage.put(f"{at}/deed", [b"theirs"])
        line.on = LAST[kind][False]

        with pytest.raises(Exists):
            storage.put(f"{at}/deed", [b"ours"], exclusive=True)

        assert (line.lost, storage.read(f"{at}/deed")) == (1, b"theirs")

    def test_about_whose_it_is_leaves_it_alone(
        self, make: Callable[..., Storage], at: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(_key: str) -> str:
            raise Unavailable

        storage = make()
        storage.put(f"{at}/deed", [b"theirs"])
        monkeypatch.setattr(storage, "_mark", silent)

        with pytest.raises(Exists):
            storage.put(f"{at}/deed", [b"ours"], exclusive=True)
