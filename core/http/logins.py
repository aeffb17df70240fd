"""Who tries passwords is made to wait, and nobody else.

Three counters are kept in Redis, each for `WINDOW_S`: of an account from one address, of one address whatever the account,
and of one account wherever from. Many share an address, so who has hardly failed there yet is not kept out by what others
do, unless it is very much. A browser in which people have logged in is known by a cookie and counted by itself: strangers
who try their names, even from the same address, do not keep that browser out.

Redis is not needed to get in: without it nothing is counted (passwords are checked all the same), and the log says so.
"""

import hashlib
import logging
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string
from redis import Redis
from redis.exceptions import RedisError

from core.base.redis_client import ask

logger = logging.getLogger(__name__)

WINDOW_S = 15 * 60
# So many may fail within the window.
PER_BROWSER = 10
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 30
PER_ACCOUNT = 100
# An account may fail so often from an address that has had its share, until the address has had this one.
SPARED = 2
PER_CROWDED_ADDRESS = 300

# One machine may stand where several people log in; a cookie has room for a few.
PEOPLE_PER_BROWSER = 5
KNOWN_S = 90 * 24 * 3600
SALT = "core.http.logins"
# Whoever has one IPv6 address has at least so many bits of them to choose from.
IPV6_PREFIX = 64

# What was counted last may have been the only one, or be forgotten by now: nothing is kept of it.
_ONE_LESS = "if redis.call('DECR', KEYS[1]) <= 0 then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How often something has failed.

    Attributes:
        key: in Redis; tells no name and no address.
        limit: so many may fail.
        spared_limit: so many, for who has failed at most `SPARED` times; None: the same.
    """

    key: str
    limit: int
    spared_limit: int | None = None


def begin(counters: list[Counter]) -> bool:
    """Count a try before its password is looked at, so that many at once are not more than one by one.

    Returns:
        Whether the password may be looked at.
    """
    try:
        counts = ask(lambda redis: _count(redis, counters))
    except RedisError:
        logger.warning("logins: Redis does not answer, so failed ones are not counted")
        return True
    is_spared = counts[0] <= SPARED
    if all(count <= _limit(counter, is_spared=is_spared) for count, counter in zip(counts, counters, strict=True)):
        return True
    _take_back(counters)  # refused unseen, it has not failed
    return False


def succeed(counters: list[Counter]) -> None:
    """It was the right password: what this person mistyped before is forgotten, what others did is not."""
    _take_back(counters, forget=counters[0])


def counters_of(request: HttpRequest, *, username: str) -> list[Counter]:
    """What a try counts for; the first is this person's own."""
    account = username.strip().casefold()
    if browser := known_browser(request, username=username):
        return [Counter(key=_key("browser", account, browser), limit=PER_BROWSER)]
    network = network_of(request)
    return [
        Counter(key=_key("pair", account, network), limit=PER_ACCOUNT_AND_ADDRESS),
        Counter(key=_key("address", network), limit=PER_ADDRESS, spared_limit=PER_CROWDED_ADDRESS),
        Counter(key=_key("account", account), limit=PER_ACCOUNT),
    ]


def network_of(request: HttpRequest) -> str:
    """Where a request comes from; IPv6 by networks.

    Behind proxies it is what the outermost of them saw. What stands before that in the header, anybody may have written.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = [*request.headers.get("X-Forwarded-For", "").split(","), peer]
    try:
        found = ip_address(hops[-1 - min(settings.PROXY_COUNT, len(hops) - 1)].strip())
    except ValueError:
        return peer
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)


def known_browser(request: HttpRequest, *, username: str) -> str:
    """The number of a browser in which this account has logged in; empty if it has not, or not lately."""
    return _numbers(request).get(_digest(username.strip().casefold()), "")


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser say from now on that this account, and the last few others, have logged in with it."""
    numbers = _numbers(request)
    account = _digest(request.user.get_username().strip().casefold())
    numbers[account] = numbers.pop(account, "") or get_random_string(22)  # the last one stands last
    latest = list(numbers.items())[-PEOPLE_PER_BROWSER:]
    response.set_signed_cookie(
        settings.BROWSER_COOKIE_NAME,
        " ".join(f"{account} {number}" for account, number in latest),
        salt=SALT,
        max_age=KNOWN_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def browser_of(request: HttpRequest) -> str:
    """This browser and whoever is logged in with it; empty if that account has not logged in here, or not lately."""
    username = request.user.get_username()
    number = known_browser(request, username=username)
    return f"{_digest(username.strip().casefold())} {number}" if number else ""


def last_in(request: HttpRequest) -> str:
    """This browser and whoever has logged in with it last, in the same words; empty if nobody has."""
    return next((f"{account} {number}" for account, number in reversed(_numbers(request).items())), "")


def _numbers(request: HttpRequest) -> dict[str, str]:
    """What the browser says its numbers are, by account; who logged in last stands last."""
    try:
        said = request.get_signed_cookie(settings.BROWSER_COOKIE_NAME, salt=SALT, max_age=KNOWN_S)
    except (KeyError, signing.BadSignature):
        return {}
    words = iter((said or "").split())
    return dict(zip(words, words, strict=False))


def _limit(counter: Counter, *, is_spared: bool) -> int:
    return counter.spared_limit if is_spared and counter.spared_limit is not None else counter.limit


def _count(redis: Redis, counters: list[Counter]) -> list[int]:
    with redis.pipeline(transaction=True) as pipeline:
        for counter in counters:
            pipeline.set(counter.key, 0, ex=WINDOW_S, nx=True)
            pipeline.incr(counter.key)
        return [int(count) for count in pipeline.execute()[1::2]]


def _take_back(counters: list[Counter], *, forget: Counter | None = None) -> None:
    def take_back(redis: Redis) -> None:
        with redis.pipeline(transaction=True) as pipeline:
            for counter in counters:
                if counter == forget:
                    pipeline.delete(counter.key)
                else:
                    pipeline.eval(_ONE_LESS, 1, counter.key)
            pipeline.execute()

    try:
        ask(take_back)
    except RedisError:
        logger.warning("logins: Redis does not answer, so one that did not fail is counted")


def _key(kind: str, *parts: str) -> str:
    return f"runsheet:logins:{kind}:{_digest(*parts)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
