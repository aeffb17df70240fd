"""Whether a failure is our own trouble, for whoever meets one of any kind: PostgreSQL's, Redis' or this host's."""

from django.db import Error
from redis.exceptions import RedisError

from core.base import database, host, redis_client


def in_words(error: BaseException) -> str:
    """What is wrong and what to do, for everybody's eyes; empty if it is no outage."""
    if isinstance(error, Error) and database.is_outage(error):
        return database.for_everybody(error)
    if isinstance(error, RedisError) and redis_client.is_outage(error):
        return redis_client.for_everybody(error)
    if isinstance(error, OSError) and host.is_outage(error):
        return host.in_words(error)
    return ""
