"""What most tests stand on: the stand-in for Dropbox, an empty Redis number, people."""

from typing import TYPE_CHECKING

import pytest
from redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

    from dropbox_standin.client import Standin


@pytest.fixture(scope="session")
def standin_process() -> "Iterator[Standin]":
    """One stand-in for each xdist worker."""
    from dropbox_standin.process import running

    with running(seed="empty") as standin:
        yield standin


@pytest.fixture
def dropbox(standin_process: "Standin", settings: "Settings", redis: Redis) -> "Standin":
    """An empty stand-in with the well-known accounts, which the product takes for Dropbox; no account is paused."""
    standin_process.reset(seed="empty")
    settings.DROPBOX_BASE_URL = standin_process.base_url
    return standin_process


@pytest.fixture
def redis(settings: "Settings") -> "Iterator[Redis]":
    """The Redis number, empty before and after."""
    connection = Redis.from_url(settings.REDIS_URL)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


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
