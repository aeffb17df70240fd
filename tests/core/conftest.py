"""Commands of the project in an environment of their own, and a Redis with sentinels."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from pytest_django.fixtures import Settings

from core.base.redis_servers import Sentinels
from tests.sentinels import ASKED_WITH, SERVICE, Watched, watched

if TYPE_CHECKING:
    from tests.forking import Forks


class Manage(Protocol):
    """`manage.py WORDS`, which reads its settings from this environment alone."""

    def __call__(self, *words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def manage(prepared: "Forks") -> Manage:
    return lambda *words, environment: prepared.run("python", "manage.py", *words, environment=environment)


@pytest.fixture(scope="module")
def short_directory() -> Iterator[Path]:
    """At a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="redis-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def running(short_directory: Path) -> Iterator[Watched]:
    with watched(short_directory) as servers:
        yield servers


@pytest.fixture
def told(running: Watched, settings: Settings) -> Sentinels:
    """The settings name them, as the product's environment does."""
    settings.REDIS_URL = running.environment["REDIS_URL"]
    from core.settings import base

    settings.RQ_QUEUES = {name: {**queue, "URL": settings.REDIS_URL} for name, queue in base.RQ_QUEUES.items()}
    told = Sentinels(
        hosts=tuple(("127.0.0.1", port) for port in running.sentinels),
        service=SERVICE,
        user="runsheet",
        password=ASKED_WITH,
    )
    settings.REDIS_SENTINELS = told
    return told
