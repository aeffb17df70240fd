"""One API call on its way to its route, and what routes are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dropbox_standin.accounts import Account
    from dropbox_standin.args import Field
    from dropbox_standin.tokens import AccessToken, App
    from dropbox_standin.views import View
    from dropbox_standin.wire import Answer
    from dropbox_standin.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated call with its argument checked."""

    world: World
    args: dict[str, Any]
    token: AccessToken
    view: View
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.token.grant.account


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API.

    Attributes:
        style: `rpc` has its argument in the body; `upload` and `download` in the `Dropbox-API-Arg` header.
        scope: what the token must allow; None asks for any token.
    """

    name: str
    run: Callable[[Call], Answer]
    fields: Mapping[str, Field]
    scope: str | None
    style: str = "rpc"


@dataclass(frozen=True, slots=True)
class AppRoute:
    """A route for an app that shows its key and secret, whoever uses it."""

    name: str
    run: Callable[[App, dict[str, Any]], Answer]
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A route without a token: `files/list_folder/longpoll` alone."""

    name: str
    run: Callable[[World, dict[str, Any]], Awaitable[Answer]]
    fields: Mapping[str, Field]
