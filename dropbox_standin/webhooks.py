"""Signed notifications to a loopback address, on every change or on demand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dropbox_standin.wire import JSON, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropbox_standin.accounts import Account

TIMEOUT_S = 10
COALESCE_S = 0.02  # changes that come together are told together, as the real service does


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification and what became of it; `status` is None when nobody answered."""

    url: str
    accounts: tuple[str, ...]
    status: int | None
    problem: str | None = None


@dataclass
class Webhooks:
    """One address, as Dropbox has one set of addresses for an app."""

    url: str | None = None
    secret: str = ""
    every_change: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    _waiting: dict[str, Account] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def describe(self) -> dict[str, Any]:
        deliveries = [asdict(delivery) for delivery in self.deliveries]
        return {"url": self.url, "every_change": self.every_change, "deliveries": deliveries}

    def on_change(self, accounts: Sequence[Account]) -> None:
        if not (self.every_change and self.url):
            return
        self._waiting.update({account.account_id: account for account in accounts})
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_soon())

    async def send(self, accounts: Sequence[Account]) -> Delivery:
        """Send one notification now."""
        body = encode(
            {
                "list_folder": {"accounts": [account.account_id for account in accounts]},
                "delta": {"users": [account.uid for account in accounts]},
            }
        )
        status, problem = await asyncio.to_thread(_post, self.url or "", body, sign(self.secret, body))
        delivery = Delivery(self.url or "", tuple(account.account_id for account in accounts), status, problem)
        self.deliveries.append(delivery)
        return delivery

    async def _send_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(COALESCE_S)
            accounts, self._waiting = list(self._waiting.values()), {}
            await self.send(accounts)


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


def _post(url: str, body: bytes, signature: str) -> tuple[int | None, str | None]:
    headers = {"Content-Type": JSON, "X-Dropbox-Signature": signature, "User-Agent": "DropboxWebhooks/1.0"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - loopback was checked
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return response.status, None
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, None
    except OSError as error:
        return None, str(error)
