"""Grants, access tokens and authorization codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropbox_standin.wire import unauthorized

if TYPE_CHECKING:
    from random import Random

    from dropbox_standin.accounts import Account
    from dropbox_standin.clock import Clock

SCOPES = frozenset(
    {
        "account_info.read",
        "account_info.write",
        "files.metadata.read",
        "files.metadata.write",
        "files.content.read",
        "files.content.write",
        "sharing.read",
        "sharing.write",
    }
)
# What the console asks for.
CONSOLE_SCOPES = frozenset({"account_info.read", "files.metadata.read", "sharing.read", "sharing.write"})
ACCESS_TOKEN_S = 14_400
CODE_S = 600


@dataclass(frozen=True, slots=True)
class App:
    """An app registered with Dropbox."""

    key: str
    secret: str


@dataclass(eq=False)
class Grant:
    """What one person allowed one app; every token hangs from one, and dies with it."""

    app: App
    account: Account
    scopes: frozenset[str]
    refresh_token: str | None
    by_pkce: bool = False
    revoked: bool = False


@dataclass(eq=False)
class AccessToken:
    value: str
    grant: Grant
    expires_at: float
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code on its way from the consent page to the token endpoint."""

    value: str
    app: App
    account: Account
    scopes: frozenset[str]
    offline: bool
    redirect_uri: str | None
    challenge: str | None
    challenge_method: str
    expires_at: float

    def verified_by(self, verifier: str) -> bool:
        """Whether this is the verifier whose challenge came with the authorization (RFC 7636)."""
        if self.challenge is None:
            return False
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return hmac.compare_digest(digest if self.challenge_method == "S256" else verifier, self.challenge)


@dataclass(eq=False)
class Tokens:
    """All tokens of this world."""

    clock: Clock
    rng: Random
    apps: dict[str, App] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    access: dict[str, AccessToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def add_grant(
        self,
        *,
        app: App,
        account: Account,
        scopes: frozenset[str],
        refresh_token: str | None,
        by_pkce: bool = False,
    ) -> Grant:
        grant = Grant(app, account, scopes, refresh_token, by_pkce=by_pkce)
        self.grants.append(grant)
        return grant

    def issue(self, grant: Grant, *, scopes: frozenset[str] | None = None, value: str = "") -> AccessToken:
        """A new access token; `scopes` narrows what the grant allows, `value` is what is otherwise at random."""
        token = AccessToken(
            value=value or f"sl.{self.random()}",
            grant=grant,
            expires_at=self.clock.time() + ACCESS_TOKEN_S,
            scopes=grant.scopes if scopes is None else scopes & grant.scopes,
        )
        self.access[token.value] = token
        return token

    def app_for(self, basic: str) -> App | None:
        """The app whose key and secret these are, as Basic authentication writes them."""
        try:
            key, _, secret = base64.b64decode(basic, validate=True).decode().partition(":")
        except ValueError:
            return None
        app = self.apps.get(urllib.parse.unquote(key))
        shown = urllib.parse.unquote(secret).encode()
        return app if app is not None and hmac.compare_digest(shown, app.secret.encode()) else None

    def grant_for(self, refresh_token: str) -> Grant | None:
        for grant in reversed(self.grants):
            if grant.refresh_token == refresh_token and not grant.revoked:
                return grant
        return None

    def grants_of(self, account: Account) -> list[Grant]:
        return [grant for grant in self.grants if grant.account is account]

    def authenticate(self, bearer: str) -> AccessToken:
        """The token that a call carries.

        Raises:
            UnionError: 401, by the reason.
        """
        token = self.access.get(bearer)
        if token is None or token.grant.revoked:
            raise unauthorized("invalid_access_token")
        if self.clock.time() >= token.expires_at:
            raise unauthorized("expired_access_token")
        if token.grant.account.suspended:
            raise unauthorized("user_suspended")
        return token

    def narrow(self, account: Account, scopes: frozenset[str]) -> None:
        """Take scopes away from (or give them back to) all that the account has granted."""
        for grant in self.grants_of(account):
            grant.scopes = scopes
        for token in self.access.values():
            if token.grant.account is account:
                token.scopes = scopes

    def expire(self, account: Account) -> None:
        """Let the account's access tokens be past their time; refresh tokens stay."""
        for token in self.access.values():
            if token.grant.account is account:
                token.expires_at = self.clock.time()

    def revoke(self, account: Account) -> None:
        """What the person does on Dropbox's page of connected apps."""
        for grant in self.grants_of(account):
            grant.revoked = True

    def random(self, chars: int = 48) -> str:
        return f"{self.rng.getrandbits(chars * 4):0{chars}x}"
