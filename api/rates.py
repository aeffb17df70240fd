"""How many requests come from whom in a minute, counted in Redis in one round trip for each.

Redis is not needed to be right: without it nobody is counted and nobody refused, and the log says so once.
"""

import hashlib
import logging
import math
import threading
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from redis import Redis
from redis.exceptions import RedisError

from api.errors import TooManyRequests
from core.base.redis_client import ask
from core.base.redis_keys import redis_key
from core.http.logins import network_of

logger = logging.getLogger(__name__)

WINDOW_S = 60
# The minute begins with the first request of it. One that was left without an end, by whatever, gets one.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
"""
_is_silent = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How it stands with whoever asks.

    Attributes:
        who: what is counted: the requests of a “token”, a “person” or an “address”.
        quota: so many may come in a minute; 0: any number.
        left: so many still may; None: it is not known.
        resets_s: after so long all may again.
    """

    who: str
    quota: int
    left: int | None = None
    resets_s: int = WINDOW_S

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them; none where any number may come."""
        if not self.quota:
            return {}
        told = {"RateLimit-Policy": f'"{self.who}";q={self.quota};w={WINDOW_S}'}
        if self.left is not None:
            told["RateLimit"] = f'"{self.who}";r={self.left};t={self.resets_s}'
        return told


def admit_known(request: HttpRequest, *, who: str, key: int) -> None:
    """Count a request of a token or a person.

    Raises:
        TooManyRequests: it is one too many.
    """
    _admit(request, who=who, key=str(key), quota=settings.API_PER_MINUTE)


def admit_unknown(request: HttpRequest) -> None:
    """Count a request of nobody knows whom, by its address; IPv6 by networks.

    Raises:
        TooManyRequests: it is one too many.
    """
    address = hashlib.sha256(network_of(request).encode()).hexdigest()
    _admit(request, who="address", key=address, quota=settings.API_UNKNOWN_PER_MINUTE)


def rate_of(request: HttpRequest) -> Rate | None:
    """How it stands; None: nobody has found out yet who asks."""
    rate: Rate | None = getattr(request, "rate", None)
    return rate


def _admit(request: HttpRequest, *, who: str, key: str, quota: int) -> None:
    request.rate = Rate(who=who, quota=quota)  # type: ignore[attr-defined]  # see `rate_of`
    if not quota:
        return
    count, left_s = _counted(redis_key("api", who, key))
    left = None if count is None else max(0, quota - count)
    request.rate = Rate(who=who, quota=quota, left=left, resets_s=left_s)  # type: ignore[attr-defined]  # as above
    if count is not None and count > quota:
        raise TooManyRequests(
            f"Too many requests: at most {quota:,} in a minute are taken from one {who}. Wait {left_s} s.",
            retry_after_s=left_s,
        )


def _counted(key: str) -> tuple[int | None, int]:
    """How many there are with this one, and in how many seconds they are forgotten; None: nobody knows."""
    try:
        count, left_ms = ask(lambda redis: _count(redis, key))
    except RedisError:
        if not _is_silent.is_set():
            _is_silent.set()
            logger.warning("api: Redis does not answer, so requests are not counted and nobody is refused for many")
        return None, WINDOW_S
    _is_silent.clear()
    return count, max(1, math.ceil(left_ms / 1000))


def _count(redis: Redis, key: str) -> tuple[int, int]:
    count, left_ms = redis.eval(_COUNT, 1, key, WINDOW_S * 1000)
    return int(count), int(left_ms)
