"""Signed notifications to a loopback address, on every change or on demand, and again until they are answered."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dropbox_standin.wire import JSON, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropbox_standin.accounts import Account
    from dropbox_standin.tokens import Tokens

OK = HTTPStatus.OK
TIMEOUT_S = 10
COALESCE_S = 0.02  # changes that come together are told together, as the real service does
# What was not answered by a 200 is sent again: after 10 seconds, then twice as long each time, ten minutes in all.
RETRY_AFTER_S = (10, 20, 40, 80, 160, 290)
NEEDED_SCOPE = "files.metadata.read"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification and what became of it; `status` is None when nobody answered.

    Attributes:
        attempt: 1 for the first; more when it was sent again.
        gave_up: it was the last attempt, and none was answered by a 200.
    """

    url: str
    accounts: tuple[str, ...]
    status: int | None
    problem: str | None = None
    attempt: int = 1
    gave_up: bool = False


@dataclass(slots=True)
class Owed:
    """A notification that is still to be answered by a 200."""

    accounts: list[Account]
    due_at: float
    attempt: int = 1


@dataclass
class Webhooks:
    """One address, as Dropbox has one set of addresses for an app."""

    tokens: Tokens
    url: str | None = None
    secret: str = ""
    every_change: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    _waiting: dict[str, Account] = field(default_factory=dict)
    _sender: asyncio.Task[None] | None = None
    _retrier: asyncio.Task[None] | None = None
    _clock_moved: asyncio.Event = field(default_factory=asyncio.Event)

    def describe(self) -> dict[str, Any]:
        deliveries = [asdict(delivery) for delivery in self.deliveries]
        return {"url": self.url, "every_change": self.every_change, "deliveries": deliveries, "owed": len(self.owed)}

    def connected(self, accounts: Sequence[Account]) -> list[Account]:
        """Those that the app may still read; of others it hears nothing."""
        grants = (grant for grant in self.tokens.grants if not grant.revoked and NEEDED_SCOPE in grant.scopes)
        readable = {grant.account.account_id for grant in grants}
        return [account for account in accounts if account.account_id in readable]

    async def verify(self, url: str) -> str | None:
        """Ask an address whether it wants notifications; what is wrong with its answer, if anything. Asked once."""
        challenge = self.tokens.random(40)
        joined = f"{url}{'&' if urllib.parse.urlsplit(url).query else '?'}challenge={challenge}"
        status, answered = await asyncio.to_thread(_exchange, urllib.request.Request(joined))  # noqa: S310 - loopback
        if status is None:
            return f"nobody answered the challenge at {url}: {answered}"
        if status != OK:
            return f"{url} answered the challenge with {status}, not with 200"
        return None if answered == challenge else f"{url} did not answer with the challenge itself"

    def on_change(self, accounts: Sequence[Account]) -> None:
        if not (self.every_change and self.url):
            return
        self._waiting.update({account.account_id: account for account in self.connected(accounts)})
        if self._waiting and (self._sender is None or self._sender.done()):
            self._sender = asyncio.get_running_loop().create_task(self._send_soon())

    async def send(self, accounts: Sequence[Account]) -> Delivery:
        """Send one notification now; one that is not answered by a 200 is sent again later."""
        return await self._attempt(Owed(list(accounts), self.tokens.clock.time()))

    def wake(self) -> None:
        """The clock was moved: what is due by it is sent again."""
        self._clock_moved.set()

    def close(self) -> None:
        """Send nothing more."""
        for task in (self._sender, self._retrier):
            if task is not None:
                task.cancel()

    async def _send_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(COALESCE_S)
            accounts, self._waiting = list(self._waiting.values()), {}
            await self.send(accounts)

    async def _attempt(self, owed: Owed) -> Delivery:
        status, problem = await asyncio.to_thread(_post, self.url or "", self.secret, owed.accounts)
        told = tuple(account.account_id for account in owed.accounts)
        answered, last = status == OK, owed.attempt > len(RETRY_AFTER_S)
        delivery = Delivery(self.url or "", told, status, problem, owed.attempt, gave_up=last and not answered)
        self.deliveries.append(delivery)
        if not answered and not last:
            self._owe(Owed(owed.accounts, owed.due_at + RETRY_AFTER_S[owed.attempt - 1], owed.attempt + 1))
        return delivery

    def _owe(self, owed: Owed) -> None:
        self.owed.append(owed)
        self._clock_moved.set()
        if self._retrier is None or self._retrier.done():
            self._retrier = asyncio.get_running_loop().create_task(self._retry())

    async def _retry(self) -> None:
        while self.owed:
            first = min(self.owed, key=lambda owed: owed.due_at)
            left_s = first.due_at - self.tokens.clock.time()
            if left_s > 0:
                self._clock_moved.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._clock_moved.wait(), left_s)
                continue
            self.owed.remove(first)
            first.accounts = self.connected(first.accounts)
            if self.url and first.accounts:
                await self._attempt(first)


def sign(secret: str, body: bytes) -> str:
    """`X-Dropbox-Signature` of a notification."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_loopback(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def _post(url: str, secret: str, accounts: Sequence[Account]) -> tuple[int | None, str | None]:
    """Send a notification; the status, or None and what is wrong."""
    told = {"accounts": [account.account_id for account in accounts]}
    body = encode({"list_folder": told, "delta": {"users": [account.uid for account in accounts]}})
    headers = {"Content-Type": JSON, "X-Dropbox-Signature": sign(secret, body), "User-Agent": "DropboxWebhooks/1.0"}
    status, answered = _exchange(urllib.request.Request(url, body, headers, method="POST"))  # noqa: S310 - loopback
    return status, answered if status is None else None


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer that is no 200, and not followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _exchange(request: urllib.request.Request) -> tuple[int | None, str]:
    """The answer's status and text; without an answer None, and what is wrong."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Unmoved())
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return response.status, response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, ""
    except (OSError, http.client.HTTPException) as error:
        return None, str(error)
