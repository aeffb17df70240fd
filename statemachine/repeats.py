"""Something happens again, and nothing is different: an automatic trigger that need not start anything (H7).

A best effort for triggers alone. What a person asks for never comes here, and neither does a record's changed input.
"""

import logging
from functools import partial

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from core.redis_client import ask

logger = logging.getLogger(__name__)


def is_repeated(trigger: str, *, given: str) -> bool:
    """Whether this trigger came with the same input within DISCOVERY_DEDUP_TTL; without Redis, never.

    Args:
        trigger: what happened to whom, such as `configuration:BLM`.
        given: stands for the input that it came with.
    """
    if not settings.DISCOVERY_DEDUP_TTL_S:
        return False
    try:
        return ask(partial(_is_known, f"runsheet:trigger:{trigger}", given))
    except RedisError as error:
        logger.warning("trigger %s: Redis cannot tell whether it is a repetition (%s); it counts", trigger, error)
        return False


def _is_known(key: str, given: str, redis: Redis) -> bool:
    ttl_s = settings.DISCOVERY_DEDUP_TTL_S
    before = redis.set(key, given, nx=True, get=True, ex=ttl_s)
    if before is None:
        return False
    if before == given.encode():
        return True
    redis.set(key, given, ex=ttl_s)
    return False
