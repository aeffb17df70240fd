"""django-rq's own connections, which its commands and worker pools use, made as all others are."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django_rq import connection_utils, queues
from redis import Redis

from core.base import redis_servers

NAME = "get_redis_connection"


def make_as_all_others() -> None:
    """Put it in place, in this process: django-rq by itself knows neither our time-outs nor sentinels with certificates.

    Raises:
        AttributeError: django-rq no longer makes them so; see what it does instead.
    """
    for module in (connection_utils, queues):
        getattr(module, NAME)
        setattr(module, NAME, connection_of)


def connection_of(config: Mapping[str, Any], _use_strict_redis: bool = False) -> Redis:  # noqa: FBT001, FBT002 - as django-rq has it
    """The connections of a queue, one of `settings.RQ_QUEUES`."""
    return redis_servers.client(config["URL"], timeout_s=settings.REDIS_PATIENCE_S)
