"""Redis for requests and jobs: one quick attempt, and after a failure a moment of silence, so that nobody waits twice.

Nothing that goes through here may be needed for being right: Redis is only the doorbell
(docs/decisions/0002-postgres-is-the-truth.md).
"""

import threading
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

# Many rows may be committed in one request; only the first of them waits for a Redis that does not answer.
SILENCE_S = 1.0

_silent_until: dict[str, float] = {}  # by address, on the monotonic clock
_lock = threading.Lock()


class RedisSilent(RedisConnectionError):
    """Redis did not answer a moment ago, so it was not asked."""


def ask[T](question: Callable[[Redis], T]) -> T:
    """Put a question to Redis, unless it has just failed to answer one.

    Raises:
        RedisError: it does not answer, or did not a moment ago (`RedisSilent`).
    """
    url = settings.REDIS_URL
    if time.monotonic() < _silent_until.get(url, 0.0):
        raise RedisSilent("Redis did not answer a moment ago")
    try:
        return question(connection(url))
    except RedisError:
        with _lock:
            _silent_until[url] = time.monotonic() + SILENCE_S
        raise


@cache
def connection(url: str) -> Redis:
    """The process's connections to one Redis, with short time-outs and no attempt but the first."""
    return Redis.from_url(
        url,
        socket_connect_timeout=settings.DOORBELL_TIMEOUT_S,
        socket_timeout=settings.DOORBELL_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
