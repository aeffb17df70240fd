"""How gunicorn.conf.py serves; the application is one that can hang."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from core.http import transfers
from core.local.processes import free_port
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually

pytestmark = pytest.mark.process

# More than what a connection keeps for who does not read.
LARGE = b"x" * 64 * 1024 * 1024
PIECE = 1024  # gunicorn reads no less


@transfers.in_time
def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Hangs when asked for /hang, else answers with what was sent, or with its process's number."""
    if environ["PATH_INFO"] == "/hang":
        threading.Event().wait()
    body = b""
    try:
        while piece := environ["wsgi.input"].read(PIECE):
            body += piece
    except transfers.Stalled as stalled:
        body = str(stalled).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [LARGE if environ["PATH_INFO"] == "/large" else body or str(os.getpid()).encode()]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of one process that may hang for half a second, and its log."""
    configuration = tmp_path / "impatient.conf.py"
    impatient = "HANGS_S, WATCH_EVERY_S, transfers.STALLS_S, transfers.SLOWEST_BYTES_PER_S = 0.5, 0.1, 0.4, 1e9"
    configuration.write_text(f"{(ROOT / 'gunicorn.conf.py').read_text()}\n{impatient}\n")
    log, address = tmp_path / "log", f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", f"{__name__}:application", "--bind", address, "-c", str(configuration)]
    with log.open("w") as written:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "WEB_CONCURRENCY": "1"}, stderr=written)
    try:
        yield f"http://{address}", log
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def connected(address: str, head: str) -> Iterator[socket.socket]:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"{head}\r\nHost: {host}\r\n".encode())
        yield connection


def ask(url: str) -> str:
    with suppress(OSError, URLError), urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
    return ""


def test_a_process_in_which_a_request_hangs_is_replaced(web: tuple[str, Path]) -> None:
    address, log = web
    eventually(lambda: bool(ask(address)))
    before = ask(address)

    assert ask(f"{address}/hang") == ""

    eventually(lambda: ask(address) not in ("", before))
    assert "A request hangs for more than 0.5 s; this process ends." in log.read_text()
    assert "in application" in log.read_text(), "where it hung"


def test_whoever_sends_or_reads_no_more_loses_the_connection_and_nobody_the_process(web: tuple[str, Path]) -> None:
    address, log = web
    eventually(lambda: bool(ask(address)))
    process = ask(address)

    with connected(address, "PUT / HTTP/1.1") as sends, connected(address, "GET /large HTTP/1.1") as reads:
        reads.sendall(b"\r\n")
        sends.sendall(b"Content-Length: 99999\r\n\r\n")
        for _ in range(8):  # longer in all than a request may hang, so it does not
            time.sleep(0.1)  # the client's own pace is what is tested
            sends.sendall(b"x" * PIECE)
        told = b""
        while b"\r\n0\r\n" not in told and (piece := sends.recv(1_000)):  # its head may come by itself
            told += piece
        eventually(lambda: "connections were closed" in log.read_text())

        received = b""
        while piece := reads.recv(1024 * 1024):
            received += piece

    assert b"The client has stopped sending." in told
    assert len(received) < len(LARGE)
    assert ask(address) == process
