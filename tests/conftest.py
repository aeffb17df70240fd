"""What most tests stand on: the stand-in for Dropbox, an empty Redis number, people."""

import fcntl
import os
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING

import pytest
from redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from pytest_django import DjangoDbBlocker
    from pytest_django.fixtures import Settings

    from bench.outages import SmallDisk
    from dropbox_standin.client import Standin
    from tests.forking import Forks
    from tests.live import Site


_how_to_trace: dict[str, str] = {}


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let programs that a test starts not be traced for coverage, which makes them slow; see `traced_programs`."""
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", default=None):
        _how_to_trace.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")})


def pytest_collection() -> None:
    """Let the console show what the apps declare, as it does from its first page on: many tests look at it without one."""
    from console.shell import declared
    from tests import entering

    declared.put_all()
    entering.put_in_place()


@contextmanager
def traced_programs() -> "Iterator[None]":
    """Programs that start in the body count for coverage, if this run measures it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _how_to_trace.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> None:
    """The database of this xdist worker; what a test has committed goes at its end, see `tests.emptying`."""
    from django.test import TransactionTestCase

    from tests.emptying import Made

    with django_db_blocker.unblock():
        made = Made.read()
    TransactionTestCase._fixture_teardown = lambda _case: made.restore()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def standin_process() -> "Iterator[Standin]":
    """One stand-in for each xdist worker; the tests of the stand-in itself have one of their own."""
    from dropbox_standin.process import running

    with running(seed="empty") as standin:
        yield standin


@pytest.fixture(scope="session")
def prepared() -> "Iterator[Forks]":
    """Where a test runs commands of the project in an environment of their own, see `tests.forking`."""
    from tests.forking import forks

    with forks("libraries", environment=os.environ) as running:
        yield running


@pytest.fixture(scope="session")
def live_site(django_db_setup: None, standin_process: "Standin") -> "Iterator[Site]":
    """One console for each xdist worker, from the first test that asks for it."""
    from tests.live import site

    with site(standin_process) as running:
        yield running


@pytest.fixture
def dropbox(standin_process: "Standin", settings: "Settings", redis: Redis) -> "Standin":
    """An empty stand-in with the well-known accounts, which the product takes for Dropbox; no account is paused."""
    standin_process.reset(seed="empty")
    settings.DROPBOX_BASE_URL = standin_process.base_url
    return standin_process


@pytest.fixture
def redis(settings: "Settings") -> "Iterator[Redis]":
    """The Redis number, empty before and after."""
    from tests.redis_tls import as_admin

    connection = _redis_at(as_admin(settings.REDIS_URL))
    connection.flushdb()
    yield connection
    connection.flushdb()


@cache
def _redis_at(url: str) -> Redis:
    """One connection for all tests: to make another costs more than most of what they ask."""
    return Redis.from_url(url)


@pytest.fixture
def olivia(django_user_model: "type[User]", db: None) -> "User":
    """An operator who has every permission on leases and no Dropbox yet."""
    return django_user_model.objects.create_superuser("olivia", "olivia@example.com", "olivia")


@pytest.fixture
def database_url(db: None) -> str:
    """Where the tests' own database is, for who breaks it from outside."""
    from django.db import connection
    from psycopg.conninfo import make_conninfo

    of = connection.settings_dict
    return make_conninfo(
        host=of["HOST"], port=of["PORT"] or None, user=of["USER"], password=of["PASSWORD"] or None, dbname=of["NAME"]
    )


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[str]":
    """A Valkey that a test may break, apart from the one that all tests share."""
    from bench.outages import valkey

    with valkey(tmp_path_factory.mktemp("own-redis")) as url:
        yield url


@pytest.fixture
def small_disk(db: None) -> "Iterator[SmallDisk]":
    """One that PostgreSQL may use; skips where nothing can be mounted. Its user may not look into `tmp_path`."""
    from django.db import connection

    from bench import outages
    from tests.replicas import either

    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (data,) = cursor.fetchone()
    try:
        with (
            either(fcntl.LOCK_EX),
            outages.small_disk(Path(data).parent / f"disk-{os.getpid()}", size_kb=1024) as disk,
        ):
            yield disk
    except (CalledProcessError, FileNotFoundError) as error:
        pytest.skip(f"nothing can be mounted here: {error}")
