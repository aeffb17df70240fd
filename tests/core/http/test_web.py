"""How gunicorn.conf.py serves; the application is one that can hang."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually

pytestmark = pytest.mark.process


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Hangs when asked for /hang, else answers with its process's number."""
    if environ["PATH_INFO"] == "/hang":
        threading.Event().wait()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of one process that may hang for half a second, and its log."""
    configuration = tmp_path / "impatient.conf.py"
    configuration.write_text((ROOT / "gunicorn.conf.py").read_text() + "\nHANGS_S, WATCH_EVERY_S = 0.5, 0.1\n")
    log, address = tmp_path / "log", f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", f"{__name__}:application", "--bind", address, "-c", str(configuration)]
    with log.open("w") as written:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "WEB_CONCURRENCY": "1"}, stderr=written)
    try:
        yield f"http://{address}", log
    finally:
        server.terminate()
        server.wait(20)


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
