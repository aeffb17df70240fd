"""A pytest plugin: PostgreSQL and Valkey for the run, a database and a Redis number for each xdist worker.

It is loaded by `-p` because Django's settings are read before any conftest.py.
"""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.local import servers

_running = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start what DATABASE_URL and REDIS_URL do not name; xdist's workers inherit both through the environment."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    servers.LOCAL.mkdir(exist_ok=True)
    for lock in servers.LOCAL.glob("test-*/lock"):
        servers.remove(lock.parent)
    directory = Path(tempfile.mkdtemp(prefix="test-", dir=servers.LOCAL))
    _running.callback(shutil.rmtree, directory)
    urls = _running.enter_context(servers.running(directory, durable=False))
    os.environ["DATABASE_URL"] = urls.database_url
    os.environ["REDIS_URL"] = urls.redis_url


def pytest_unconfigure() -> None:
    _running.close()
