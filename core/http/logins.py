"""Who tries passwords is made to wait, and nobody else.

Three counters are kept in Redis, each for `WINDOW_S`: of an account from one address, of one address whatever the account,
and of one account wherever from. Many share an address, so who has hardly failed there yet is not kept out by what others
do, unless it is very much. A browser in which people have logged in is known by a cookie and counted by itself: strangers
who try their names, even from the same address, do not keep that browser out.

Redis is not needed to get in: without it nothing is counted (passwords are checked all the same), and the log says so.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from core.http import tries
from core.http.tries import WINDOW_S, Counter, begin, digest, succeed

__all__ = [
    "WINDOW_S",
    "begin",
    "browser_of",
    "counters_of",
    "known_browser",
    "last_in",
    "network_of",
    "remember_browser",
    "succeed",
]

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


def counters_of(request: HttpRequest, *, username: str) -> list[Counter]:
    """What a try counts for; the first is this person's own."""
    account = username.strip().casefold()
    if browser := known_browser(request, username=username):
        return [_counter("browser", account, browser, limit=PER_BROWSER)]
    network = network_of(request)
    return [
        _counter("pair", account, network, limit=PER_ACCOUNT_AND_ADDRESS),
        _counter("address", network, limit=PER_ADDRESS, spared_limit=PER_CROWDED_ADDRESS),
        _counter("account", account, limit=PER_ACCOUNT),
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
    return _numbers(request).get(digest(username.strip().casefold()), "")


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser say from now on that this account, and the last few others, have logged in with it."""
    numbers = _numbers(request)
    account = digest(request.user.get_username().strip().casefold())
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
    return f"{digest(username.strip().casefold())} {number}" if number else ""


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


def _counter(kind: str, *parts: str, limit: int, spared_limit: int | None = None) -> Counter:
    key = tries.key_of("logins", kind, *parts)
    return Counter(of="logins", key=key, limit=limit, spared=SPARED, spared_limit=spared_limit)
