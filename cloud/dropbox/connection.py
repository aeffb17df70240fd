"""The one HTTP session of a process, and where it leads: the real Dropbox or the stand-in."""

import ipaddress
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, override
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from requests import ConnectionError as RequestsConnectionError
from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from cloud.dropbox.answers import remember_answer
from cloud.dropbox.forms import OddAnswer
from cloud.errors import DropboxUnavailable

# As many threads as one process may ever use at once; more would open connections that are then thrown away.
POOL_SIZE = 32
# Unpacked. Dropbox's largest page, with the longest names there are, has less than half of it.
LONGEST_ANSWER_BYTES = 16 * 1024 * 1024
# From its first byte to its last; the time-out of a read begins anew with each packet.
LONGEST_ANSWER_S = 60.0
PIECE_BYTES = 64 * 1024

# Whose addresses a share link may have, besides those of the stand-in where that takes Dropbox's place.
LINK_DOMAINS = ("dropbox.com", "db.tt")
LONGEST_URL = 2_048

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


def session() -> Session:
    """This process's session; made anew after a fork and when the setting changes.

    Raises:
        ImproperlyConfigured: `DROPBOX_BASE_URL` would send tokens in the clear, or is no address.
    """
    return _session(os.getpid(), settings.DROPBOX_BASE_URL)


def timeouts_s() -> tuple[float, float]:
    """For connecting, and for each packet of an answer.

    Raises:
        DropboxUnavailable: nothing is left of what `done_within` allows.
    """
    half_s = time_left_s() / 2
    if half_s <= 0:
        raise DropboxUnavailable("Dropbox takes too long.")
    # Both together take no longer than what is left.
    return min(settings.DROPBOX_CONNECT_TIMEOUT_S, half_s), min(settings.DROPBOX_READ_TIMEOUT_S, half_s)


def time_left_s() -> float:
    """Of what `done_within` allows; infinite where nobody waits."""
    ends_at = _ends_at.get()
    return math.inf if ends_at is None else max(0.0, ends_at - time.monotonic())


class AnswerTooLong(OddAnswer, RequestException):
    """An answer that does not end, in bytes or in time."""


@contextmanager
def done_within(longest_s: float) -> Iterator[None]:
    """For who has somebody waiting: no call is begun after that time, and none waits for long beyond it.

    Nor is the account's turn waited for, nor an answer that comes byte by byte.
    """
    token = _ends_at.set(time.monotonic() + longest_s)
    try:
        yield
    finally:
        _ends_at.reset(token)


@lru_cache(maxsize=1)
def _session(_pid: int, base_url: str) -> Session:
    made = Session()
    # Else a .netrc would replace the bearer token, and proxy and CA variables would apply unseen.
    made.trust_env = False
    # Dropbox never redirects these routes; following one would hand the request to somebody else.
    made.max_redirects = 0
    # One session serves all users, so nothing of one may stick to it.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.hooks["response"].append(remember_answer)
    made.mount("https://", _Adapter(check_base_url(base_url) if base_url else ""))
    made.adapters.pop("http://")
    return made


def check_base_url(base_url: str) -> str:
    """The same address without a trailing slash.

    Raises:
        ImproperlyConfigured: it is not scheme and authority, or plain http beyond loopback.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured("DROPBOX_BASE_URL must be a scheme and a host, such as https://dropbox.example.com.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ImproperlyConfigured(
            "DROPBOX_BASE_URL may use plain http on loopback only, since tokens travel in it; use https."
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_link(url: Any) -> bool:
    """Whether this is the address of a share link at Dropbox, and no longer than what is stored: people will click on it."""
    if not isinstance(url, str) or not 0 < len(url) <= LONGEST_URL or not re.fullmatch(r"[\x21-\x7e]+", url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    base = urlsplit(settings.DROPBOX_BASE_URL)
    if base.netloc and (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return True
    is_dropbox = any(host == domain or host.endswith(f".{domain}") for domain in LINK_DOMAINS)
    # Neither a name before an @, which many read as the host, nor a backslash, which browsers read as a slash.
    return is_dropbox and parts.scheme == "https" and port is None and not set(parts.netloc + parts.path) & set("@\\")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Adapter(HTTPAdapter):
    """Reads each answer whole, but no more than an answer of Dropbox's can be.

    Args:
        base_url: where every request is sent instead of to its own scheme and authority; the SDK and its URLs stay as
            they are.
    """

    def __init__(self, base_url: str = "") -> None:
        super().__init__(pool_maxsize=POOL_SIZE)
        self._base_url = base_url

    @override
    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        if self._base_url:
            request.url = self._base_url + request.path_url
        response = super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        try:
            response._content = _read(response)  # noqa: SLF001 - requests has no other place for a body that was read
        except HTTPError as error:
            raise RequestsConnectionError(error, request=request) from error
        finally:
            response.close()
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - the same
        return response


def _read(response: Response) -> bytes:
    """The body, unpacked piece by piece: a few bytes can unpack to more than there is memory.

    Raises:
        AnswerTooLong: it takes more room or time than any answer of Dropbox's.
    """
    pieces, size = [], 0
    ends_at = time.monotonic() + LONGEST_ANSWER_S
    if (given := _ends_at.get()) is not None:
        ends_at = min(ends_at, given)
    while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST_ANSWER_BYTES:
            raise AnswerTooLong(f"it is longer than {LONGEST_ANSWER_BYTES:,} bytes")
        if time.monotonic() > ends_at:
            raise AnswerTooLong("it comes too slowly")
    return b"".join(pieces)
