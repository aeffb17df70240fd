"""The one HTTP session of a process, and where it leads: the real Dropbox or the stand-in."""

import ipaddress
import os
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
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from discovery.dropbox.answers import remember_answer
from discovery.errors import DropboxUnavailable

# As many threads as one process may ever use at once; more would open connections that are then thrown away.
POOL_SIZE = 32

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
    usual = settings.DROPBOX_CONNECT_TIMEOUT_S, settings.DROPBOX_READ_TIMEOUT_S
    ends_at = _ends_at.get()
    if ends_at is None:
        return usual
    left_s = ends_at - time.monotonic()
    if left_s <= 0:
        raise DropboxUnavailable("Dropbox takes too long.")
    # Both together take no longer than what is left.
    return min(usual[0], left_s / 2), min(usual[1], left_s / 2)


@contextmanager
def done_within(longest_s: float) -> Iterator[None]:
    """For who has somebody waiting: no call is begun after that time, and none waits for long beyond it.

    Only an answer that comes byte by byte may take longer.
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
    made.mount("https://", _StandinAdapter(check_base_url(base_url)) if base_url else _adapter())
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _adapter() -> HTTPAdapter:
    return HTTPAdapter(pool_maxsize=POOL_SIZE)


class _StandinAdapter(HTTPAdapter):
    """Sends every request to another scheme and authority; the SDK and its URLs stay as they are."""

    def __init__(self, base_url: str) -> None:
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
        request.url = self._base_url + request.path_url
        return super().send(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
