"""The cache in Redis: on connections that are made as all others are, and with nothing in it but JSON.

Django's default is pickle, which runs code for whoever can write to Redis.
"""

import json
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis

from core.base import redis_client


class JSONSerializer:
    """Integers stay as they are, so that Redis can count them."""

    def dumps(self, value: Any) -> Any:
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: Any) -> Any:
        return json.loads(data)


class Client(RedisCacheClient):
    """Of one server.

    Args:
        timeout_s: for each answer.
    """

    def __init__(self, servers: list[str], *, timeout_s: float) -> None:
        super().__init__(servers, serializer=JSONSerializer)
        (self._url,) = servers
        self._timeout_s = timeout_s

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:  # noqa: ARG002 - one server for everything
        return redis_client.connection(self._url, self._timeout_s)


class Cache(RedisCache):
    """For `CACHES`. `OPTIONS` are those of `Client`."""

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
