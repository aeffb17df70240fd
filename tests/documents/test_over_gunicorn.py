"""Bodies through gunicorn as it is configured, onto a disk and back: what it takes in memory, and what is left of what broke off.

The application is that of `served.py`.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually

# One server for all of them, since it takes longer to start than any of them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("over gunicorn")]

MB = 1_000_000
LARGE = 300
PIECE = bytes(range(256)) * 4096


class Server:
    """One process, and the folder that it stores in."""

    def __init__(self, port: int, place: Path, log: Path) -> None:
        self.port = port
        self.place = place
        self.log = log

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
        answer = connection.getresponse()
        total = b"" if method == "GET" and "size" in path else answer.read()
        while piece := answer.read(MB):
            total = total[-100:] + piece[-100:]
        connection.close()
        return answer.status, total

    def memory(self) -> int:
        return int(self("GET", "/memory")[1])

    def files(self) -> list[Path]:
        return [each for each in self.place.rglob("*") if each.is_file()]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("over-gunicorn")
    configuration = directory / "impatient.conf.py"
    impatient = "WATCH_EVERY_S, transfers.STALLS_S, transfers.SLOWEST_BYTES_PER_S = 0.1, 1.5, 1e9"
    configuration.write_text(f"{(ROOT / 'gunicorn.conf.py').read_text()}\n{impatient}\n")
    port, place = free_port(), directory / "documents"
    environment = {**os.environ, "WEB_CONCURRENCY": "1", "PLACE": str(place)}
    command = [sys.executable, "-m", "gunicorn", "tests.documents.served:application", "--bind", f"127.0.0.1:{port}"]
    with (directory / "log").open("a") as log:
        process = subprocess.Popen([*command, "-c", str(configuration)], cwd=ROOT, env=environment, stderr=log)
    found = Server(port, place, directory / "log")

    def answers() -> bool:
        try:
            return found.memory() > 0
        except OSError:
            return False

    try:
        eventually(answers, within_s=30)
        yield found
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def server(started: Server) -> Server:
    """With nothing stored, and nothing in its log."""
    for each in started.files():
        each.unlink(missing_ok=True)
    os.truncate(started.log, 0)
    return started


def _answer(connection: socket.socket) -> bytes:
    """All of it, which is short and comes in chunks."""
    told = b""
    while not told.endswith(b"0\r\n\r\n"):
        piece = connection.recv(65_536)
        assert piece, told
        told += piece
    return told


def _pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield PIECE


def test_a_large_file_comes_and_goes_in_little_memory(server: Server) -> None:
    size = LARGE * len(PIECE)
    server("PUT", "/", PIECE)
    server("GET", f"/?size={len(PIECE)}")
    before = server.memory()

    status, told = server("PUT", "/", _pieces(LARGE), **{"Content-Length": str(size)})
    after_upload = server.memory()
    got, last = server("GET", f"/?size={size}")

    assert (status, json.loads(told)["size"]) == (200, size)
    assert (got, last[-100:]) == (200, PIECE[-100:])
    assert max(after_upload, server.memory()) - before < 60 * MB
    assert [each.stat().st_size for each in server.files()] == [size]


@pytest.mark.parametrize("asked", ["", "bytes=1500000-7500001", "bytes=0-2097151", "bytes=-3000000"])
def test_what_goes_straight_from_the_disk_is_what_lies_there(server: Server, asked: str) -> None:
    whole = b"".join(bytes([each]) * 1_000_003 for each in range(9))
    server("PUT", "/", whole)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    with closing(connection):
        for _ in range(2):  # over one connection
            connection.request("GET", f"/?size={len(whole)}", headers={"Range": asked} if asked else {})
            answer = connection.getresponse()
            body = answer.read()

            first, _, last = asked.removeprefix("bytes=").partition("-")
            if asked:
                expected = whole[int(first) : int(last) + 1] if first else whole[-int(last) :]
                assert (answer.status, body == expected) == (206, True)
            else:
                assert (answer.status, body == whole) == (200, True)


def test_who_stops_reading_what_goes_straight_is_ended(server: Server) -> None:
    server("PUT", "/", _pieces(60), **{"Content-Length": str(60 * len(PIECE))})
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"GET /?size={60 * len(PIECE)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

        eventually(lambda: "had stopped sending or reading" in server.log.read_text())

    assert server("GET", f"/?size={60 * len(PIECE)}")[0] == 200


def test_a_body_in_chunks_that_nobody_wanted_is_answered_once(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET /memory HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n")
        told = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert told.count(b"HTTP/1.1 ") == 1
    assert told.startswith(b"HTTP/1.1 200")


def test_a_body_in_chunks_has_an_end(server: Server) -> None:
    status, told = server("PUT", "/", _pieces(3), **{"Transfer-Encoding": "chunked"})

    assert (status, json.loads(told)["size"]) == (200, 3 * len(PIECE))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"Content-Length: 2000000\r\n\r\n" + PIECE[:500_000], "body_incomplete"),
        (b"Transfer-Encoding: chunked\r\n\r\n7A120\r\n" + PIECE[:500_000] + b"\r\nnone\r\n", "body_incomplete"),
        (b"Transfer-Encoding: chunked\r\n\r\n7A120\r\n" + PIECE[:400_000], "body_incomplete"),
    ],
)
def test_what_breaks_off_leaves_nothing(server: Server, sent: bytes, code: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\n" + sent)
        connection.shutdown(socket.SHUT_WR)
        told = _answer(connection)

    assert code.encode() in told
    assert server.files() == []


def test_what_comes_no_more_is_told_and_leaves_nothing(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + PIECE[:500_000])
        told = _answer(connection)

    assert told.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in told
    assert server.files() == []


def test_a_file_that_is_too_short_breaks_the_answer_off(server: Server) -> None:
    server("PUT", "/", PIECE)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"/?size={len(PIECE) + 1}")

    with closing(connection), pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
