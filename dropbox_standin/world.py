"""Everything the stand-in knows, in one object that a reset replaces."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from dropbox_standin.accounts import Account, Team
from dropbox_standin.clock import Clock
from dropbox_standin.cursors import Cursors
from dropbox_standin.faults import Faults
from dropbox_standin.jobs import Jobs
from dropbox_standin.journal import Journal
from dropbox_standin.links import Links
from dropbox_standin.longpolls import Longpolls
from dropbox_standin.refusals import Refusals
from dropbox_standin.search import Searches
from dropbox_standin.sessions import Sessions
from dropbox_standin.tokens import CONSOLE_SCOPES, SCOPES, App, Tokens
from dropbox_standin.tree import Namespace
from dropbox_standin.webhooks import Webhooks

if TYPE_CHECKING:
    from dropbox_standin.limits import RateLimit

FIRST_NAMESPACE = 2_100_000_001


@dataclass
class Settings:
    """What can be turned while it runs.

    Attributes:
        latency_s: added to every call, before anything else happens.
        page_size: the most entries in one page, whatever `limit` says.
        empty_pages: how many pages without entries come before the first of each listing.
        payload_bytes: the most that one upload may carry.
    """

    latency_s: float = 0.0
    page_size: int = 2000
    empty_pages: int = 0
    payload_bytes: int = 150 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TemporaryLink:
    content: bytes
    name: str
    expires_at: float


class World:
    """Accounts, trees, tokens, links, faults and the journal."""

    def __init__(self, *, public_url: str, settings: Settings, random_seed: int = 0) -> None:
        self.public_url = public_url
        self.settings = settings
        self.rng = Random(random_seed)  # noqa: S311 - the same run gives the same ids, tokens and dots
        self.clock = Clock()
        self.accounts: dict[str, Account] = {}
        self.teams: dict[str, Team] = {}
        self.tokens = Tokens(self.clock, self.rng)
        self.links = Links(public_url)
        self.cursors = Cursors(self.tokens)
        self.faults = Faults()
        self.journal = Journal()
        self.rate_limit: RateLimit | None = None
        self.refusals = Refusals(self.clock)
        self.jobs = Jobs(self.tokens)
        self.sessions = Sessions(self.tokens)
        self.longpolls = Longpolls()
        self.searches = Searches(self.tokens)
        self.webhooks = Webhooks(self.tokens)
        self.temporary_links: dict[str, TemporaryLink] = {}
        self._namespaces = FIRST_NAMESPACE
        self.closed = False
        self._news = asyncio.Event()
        self._told: Counter[Namespace] = Counter()

    def new_request_id(self) -> str:
        return self.tokens.random(32)

    def new_namespace_id(self) -> str:
        self._namespaces += 1
        return str(self._namespaces)

    def new_namespace(self) -> Namespace:
        return Namespace(namespace_id=self.new_namespace_id(), clock=self.clock, rng=self.rng)

    def add_app(self, *, key: str, secret: str) -> App:
        app = App(key, secret)
        self.tokens.apps[key] = app
        return app

    def add_team(self, *, key: str, name: str) -> Team:
        team = Team(key, name, self.new_namespace())
        self.teams[key] = team
        return team

    def add_account(self, *, key: str, display_name: str, email: str, team: Team | None = None) -> Account:
        account = Account(key, display_name, email, self.new_namespace(), team)
        self.accounts[key] = account
        return account

    def add_well_known_grants(self, *, account: Account, app: App) -> None:
        """The tokens that stand in the README: `standin-refresh-<key>`, and the console's `standin-console-<key>`."""
        for name, scopes in (("refresh", SCOPES), ("console", CONSOLE_SCOPES)):
            token = f"standin-{name}-{account.key}"
            grant = self.tokens.add_grant(app=app, account=account, scopes=scopes, refresh_token=token)
            if name == "refresh":
                self.tokens.issue(grant, value=f"standin-access-{account.key}")

    def account(self, name: str) -> Account | None:
        """By key, account id or e-mail."""
        if name in self.accounts:
            return self.accounts[name]
        return next((one for one in self.accounts.values() if name in {one.account_id, one.email}), None)

    def tell(self, namespace: Namespace) -> None:
        """Something has changed in a namespace: wake the longpolls, call the webhooks."""
        self._news.set()
        self._news = asyncio.Event()
        self._told[namespace] += 1
        self.searches.note(namespace)
        touched = [account for account in self.accounts.values() if namespace in account.namespaces]
        self.webhooks.on_change(touched)

    def told_to(self, account: Account) -> int:
        """How often something has changed that the account could see."""
        return sum(self._told[namespace] for namespace in account.namespaces)

    async def wait_for_news(self, *, at_most_s: float) -> None:
        """Until something changes anywhere, or the time is over."""
        news = self._news
        try:
            async with asyncio.timeout(at_most_s):
                await news.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Let nobody wait for this world any longer."""
        self.closed = True
        self.webhooks.close()
        self._news.set()
