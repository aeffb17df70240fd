"""What an error tracker gets to see: a server on the loopback that keeps whatever is sent to it."""

import gzip
import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import brotli
import pytest

from core import VERSION
from core.local.servers import ROOT
from tests.forking import Forks

TOKEN = "sl.u.AFmL3x-9_abcdefghijklmnopqrstuvwxyz0123456789"
UNPACKED = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}
OPAQUE = "opaque-refresh-token-of-nobody"
# A job that fails with a token in its message, its local variables, its exception, its breadcrumbs and its context.
FAILS = f"""
import logging
from structlog.contextvars import bound_contextvars

def call(held):
    kept = "{OPAQUE}"
    raise ValueError(f"refused {{held}} of olivia@example.com, refresh_token={{kept}}")

logger = logging.getLogger("sample")
with bound_contextvars(lease_id=17, job_id="leases_lease-17-searching-2"):
    logger.info("calling with Bearer %s", "{TOKEN}")
    try:
        call("{TOKEN}")
    except ValueError:
        logger.exception("job: hit a bug with %s", "{TOKEN}", extra={{"access_token": "{OPAQUE}"}})
    logging.getLogger("rq.worker").error("the same once more")
"""


@contextmanager
def tracker() -> Iterator[tuple[str, list[bytes]]]:
    """Its DSN, and what was sent to it."""
    received: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(UNPACKED[self.headers.get("Content-Encoding")](body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://key@127.0.0.1:{server.server_port}/1", received
        server.shutdown()


def run(dsn: str, prepared: Forks) -> None:
    environment = {**os.environ, "SENTRY_DSN": dsn, "DJANGO_SETTINGS_MODULE": "core.settings.dev"}
    done = prepared.run("python", "manage.py", "shell", "--no-imports", environment=environment, typed=FAILS)
    assert done.returncode == 0, done.stderr


def events(received: list[bytes]) -> list[dict[str, Any]]:
    """The events among the items of the envelopes."""
    items = [json.loads(line) for body in received for line in body.splitlines() if line]
    return [item for item in items if "event_id" in item and "platform" in item]


@pytest.fixture(scope="module")
def sent(prepared: Forks) -> list[bytes]:
    """What a tracker has of it."""
    with tracker() as (dsn, received):
        run(dsn, prepared)
    return received


@pytest.mark.process
class TestSentry:
    def test_gets_each_error_once_and_no_secret(self, sent: list[bytes]) -> None:
        (event,) = events(sent)
        raised = event["exception"]["values"][0]
        assert raised["value"].startswith("refused [redacted] of [redacted]")
        assert [frame["function"] for frame in raised["stacktrace"]["frames"]][-1] == "call"
        assert "calling with Bearer [redacted]" in [each["message"] for each in event["breadcrumbs"]["values"]]
        for secret in (TOKEN, TOKEN[5:], OPAQUE, "olivia"):
            assert secret not in b"".join(sent).decode()

    def test_knows_release_environment_and_job(self, sent: list[bytes]) -> None:
        (event,) = events(sent)
        assert (event["release"], event["environment"]) == (f"runsheet@{VERSION}", "development")
        assert event["tags"]["lease_id"] == "17"
        assert event["tags"]["job_id"] == "leases_lease-17-searching-2"

    def test_gets_nothing_where_there_is_none(self, prepared: Forks) -> None:
        with tracker() as (_, received):
            run("", prepared)

        assert received == []


class TestVersion:
    def test_is_the_projects(self) -> None:
        assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
