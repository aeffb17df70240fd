"""A streaming replica of the server that all tests share, which the test's process asks as the product does."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from bench.outages import BEHIND
from bench.standby import Standby, standby
from core.base.replica import ALIAS
from core.http import lists
from core.local import servers
from core.ops import replica as ops
from core.ops.replica import Standing, Watch
from core.settings import postgres

WITHIN_S = 10


@contextmanager
def either(kind: int) -> Iterator[None]:
    """There are replicas, or a tablespace, of the server that all tests share: on one machine both would write into the same files.

    Args:
        kind: `fcntl.LOCK_SH` for a replica, of which there may be several; `fcntl.LOCK_EX` for a tablespace.
    """
    with (servers.LOCAL / "tablespaces.lock").open("w") as lock:
        until = time.monotonic() + WITHIN_S
        while not _is_had(lock, kind):
            if time.monotonic() > until:  # who has it may wait for the next test, as long as this one waits
                pytest.skip("another worker has a replica, or a tablespace; --dist loadgroup lets one worker have both")
            time.sleep(0.1)
        yield


def _is_had(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="module")
def shared_standby(django_db_setup: None) -> Iterator[Standby]:
    """One for each module that asks for it. Behind a pooler nothing is replicated, so the server itself is asked."""
    url = os.environ.get(BEHIND) or os.environ["DATABASE_URL"]
    if not str(conninfo_to_dict(url).get("host", "")).startswith("/"):
        pytest.skip("a replica is made of a server of this machine")
    directory = Path(tempfile.mkdtemp(prefix="standby-", dir=servers.LOCAL))
    try:
        with either(fcntl.LOCK_SH), standby(url, directory) as made:
            yield made
    finally:
        shutil.rmtree(directory)


class Replica:
    """What a test does to it, and what it has been asked."""

    def __init__(self, standby: Standby) -> None:
        self.standby = standby
        self.counted: list[tuple[str, str]] = []
        self.trouble: BaseException | None = None

    def note(self, _counted: str, *, at: str, why: str) -> None:
        self.counted.append((at, why))

    def look(self) -> Standing | None:
        """Let the process look at it now; None: it is not well."""
        ops.watch.look()
        looked = ops.watch._probe.start()
        wait([looked], WITHIN_S)
        self.trouble = looked.exception()
        return None if self.trouble else looked.result()

    def why(self) -> str:
        """Why the last list was read where it was."""
        return self.counted[-1][1]


@pytest.fixture(scope="module")
def known_replica(shared_standby: Standby) -> Iterator[None]:
    """Let Django know it, for all tests of the module: before each of them it looks which databases there are."""
    of = connections.settings["default"]
    shared_standby.url = shared_standby.address(of["NAME"])
    known = postgres.replica(shared_standby.url, is_pooled=False)
    connections.settings[ALIAS] = of | known | {"CONN_MAX_AGE": 0, "TEST": {**of["TEST"], "MIRROR": "default"}}
    yield
    # Also what is connected to that one: the next module has another.
    with suppress(AttributeError):
        del connections[ALIAS]
    del connections.settings[ALIAS]


@pytest.fixture
def replica(
    known_replica: None, transactional_db: None, shared_standby: Standby, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Replica]:
    """One that has all that the primary has, and is well; the process reads lists there."""
    settings.DATABASE_ROUTERS = ["core.base.replica.Router"]
    found = Replica(shared_standby)
    monkeypatch.setattr(ops, "watch", Watch())
    monkeypatch.setattr(lists, "tally", SimpleNamespace(count=found.note))
    shared_standby.catch_up()
    assert found.look(), found.trouble
    yield found
    connections[ALIAS].close()
    shared_standby.restore()
