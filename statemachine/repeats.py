"""Something happens again, and nothing is different: an automatic trigger that need not start anything.

A best effort for triggers alone. What a person asks for never comes here, and neither does a record's changed input.
"""

import logging
from functools import partial

from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

from core.base.redis_client import ask
from core.base.redis_keys import redis_key

logger = logging.getLogger(__name__)


def is_repeated(trigger: str, *, given: str) -> bool:
    """Whether this trigger came with the same input a short while ago; without Redis, never.

    Only what is committed counts: what is rolled back has started nothing, so the same once more is its first time.

    Args:
        trigger: what happened to whom, such as `configuration:BLM`.
        given: stands for the input that it came with.
    """
    if not settings.DEDUP_TTL_S:
        return False
    key = redis_key("trigger", trigger)
    try:
        before = ask(partial(_before, key))
    except RedisError as error:
        logger.warning("trigger %s: Redis cannot tell whether it is a repetition (%s); it counts", trigger, error)
        return False
    if before == given.encode():
        return True
    transaction.on_commit(partial(_remember, key, given), robust=True)
    return False


def _before(key: str, redis: Redis) -> bytes | None:
    found: bytes | None = redis.get(key)  # type: ignore[assignment]  # redis types its answers for both of its clients
    return found


def _remember(key: str, given: str) -> None:
    try:
        ask(lambda redis: redis.set(key, given, ex=settings.DEDUP_TTL_S))
    except RedisError as error:
        logger.warning("trigger %s: Redis does not remember it (%s); a repetition will count", key, error)
