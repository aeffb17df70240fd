"""How often something was tried lately, counted in Redis for `WINDOW_S`, so that who guesses is made to wait.

Redis is not needed to be right: without it nothing is counted and nobody refused, and the log says so.
"""

import hashlib
import logging
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from core.base.redis_client import ask
from core.base.redis_keys import Kind, redis_key

logger = logging.getLogger(__name__)

WINDOW_S = 15 * 60
# What was counted last may have been the only one, or be forgotten by now: nothing is kept of it.
_ONE_LESS = "if redis.call('DECR', KEYS[1]) <= 0 then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How often something has failed.

    Attributes:
        of: what is tried, as the log calls it.
        key: in Redis; tells no name and no address.
        limit: so many may fail.
        spared: who has failed no more often than so by the first counter has `spared_limit` in place of this one's limit.
        spared_limit: None: the same.
    """

    of: str
    key: str
    limit: int
    spared: int = 0
    spared_limit: int | None = None

    def limit_at(self, first: int) -> int:
        """How many may fail, for who has failed so often by the first counter."""
        return self.spared_limit if self.spared_limit is not None and first <= self.spared else self.limit


def key_of(of: Kind, kind: str, *parts: str) -> str:
    """The key of a counter."""
    return redis_key(of, kind, digest(*parts))


def digest(*parts: str) -> str:
    """By which these words are told from others."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def begin(counters: list[Counter]) -> bool:
    """Count a try before it is looked at, so that many at once are not more than one by one.

    Returns:
        Whether it may be looked at.
    """
    try:
        counts = ask(lambda redis: _count(redis, counters))
    except RedisError:
        logger.warning("%s: Redis does not answer, so failed ones are not counted", counters[0].of)
        return True
    if all(count <= counter.limit_at(counts[0]) for count, counter in zip(counts, counters, strict=True)):
        return True
    take_back(counters)  # refused unseen, it has not failed
    return False


def succeed(counters: list[Counter]) -> None:
    """It was right: what this person has mistyped before, by the first counter, is forgotten; what others did is not."""
    take_back(counters, forget=counters[0])


def take_back(counters: list[Counter], *, forget: Counter | None = None) -> None:
    """It has not failed, and says nothing about what else was tried.

    Args:
        forget: nothing is left of what this one has counted.
    """

    def take(redis: Redis) -> None:
        with redis.pipeline(transaction=True) as pipeline:
            for counter in counters:
                if counter == forget:
                    pipeline.delete(counter.key)
                else:
                    pipeline.eval(_ONE_LESS, 1, counter.key)
            pipeline.execute()

    try:
        ask(take)
    except RedisError:
        logger.warning("%s: Redis does not answer, so one that did not fail is counted", counters[0].of)


def _count(redis: Redis, counters: list[Counter]) -> list[int]:
    with redis.pipeline(transaction=True) as pipeline:
        for counter in counters:
            pipeline.set(counter.key, 0, ex=WINDOW_S, nx=True)
            pipeline.incr(counter.key)
        return [int(count) for count in pipeline.execute()[1::2]]
