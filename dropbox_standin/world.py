"""Everything the stand-in knows, in one object that a reset replaces."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from dropbox_standin.accounts import Account, Team
from dropbox_standin.clock import Clock
from dropbox_standin.cursors import FOLLOW, Cursors
from dropbox_standin.faults import Faults
from dropbox_standin.jobs import Jobs
from dropbox_standin.journal import Journal
from dropbox_standin.links import Links
from dropbox_standin.longpolls import Longpolls
from dropbox_standin.names import fold
from dropbox_standin.refusals import Refusals
from dropbox_standin.search import Searches
from dropbox_standin.sessions import Sessions
from dropbox_standin.tokens import CONSOLE_SCOPES, SCOPES, App, Tokens
from dropbox_standin.tree import Folder, Namespace
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
        watched_folder: what becomes of a cursor whose own folder was renamed or removed; one of `WATCHED_FOLDER`.
        repeat_deltas: each delta is told twice.
        payload_bytes: the most that one upload may carry.
    """

    latency_s: float = 0.0
    page_size: int = 2000
    empty_pages: int = 0
    watched_folder: str = FOLLOW
    repeat_deltas: bool = False
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
        self.cursors = Cursors(self.tokens, settings)
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
        self._told: Counter[Account] = Counter()
        self._heard: Counter[Namespace] = Counter()

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
        team.space.has_team_folders = True
        self.teams[key] = team
        return team

    def add_account(self, *, key: str, display_name: str, email: str, team: Team | None = None) -> Account:
        account = Account(key, display_name, email, self.new_namespace(), team)
        if team is not None:
            team.space.taken[fold(display_name)] = Folder(account.home.root.id, display_name, None)
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
        """Something has changed in a namespace: wake the longpolls, call the webhooks of whom it concerns."""
        self._news.set()
        self._news = asyncio.Event()
        changes = namespace.changes[self._heard[namespace] :]
        members = [account for account in self.accounts.values() if namespace in account.namespaces]
        touched = [account for account in members if account.sights.is_touched(changes)]
        self._hear(namespace)
        self._told.update(touched)
        self.searches.note(namespace)
        self.webhooks.on_change(touched)

    def settle(self) -> None:
        """What is there at the beginning is no news."""
        for account in self.accounts.values():
            for namespace in account.namespaces:
                self._hear(namespace)

    def _hear(self, namespace: Namespace) -> None:
        self._heard[namespace] = len(namespace.changes)
        for account in self.accounts.values():
            if namespace is account.root:
                account.sights.heard = len(account.sights.changes)

    def told_to(self, account: Account) -> int:
        """How often something has changed that the account could see."""
        return self._told[account]

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
