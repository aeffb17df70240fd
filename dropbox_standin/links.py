"""Shared links: who made them, where they lead, and the policies that forbid them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropbox_standin.journal import path_matches
from dropbox_standin.tree import File, Namespace, Node
from dropbox_standin.views import View, lower
from dropbox_standin.wire import Union, conflict, tagged, timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from dropbox_standin.accounts import Account
    from dropbox_standin.wishes import Wish

# What a policy can make of a request for a link, and the error that says so.
REFUSALS: dict[str, Union] = {
    "access_denied": tagged("access_denied"),
    "not_authorized": tagged("settings_error", "not_authorized"),
    "invalid_settings": tagged("settings_error", "invalid_settings"),
    "email_not_verified": tagged("email_not_verified"),
    "banned_member": tagged("banned_member"),
    "too_many_shared_folders": tagged("too_many_shared_folders"),
}
# What may have been asked for, by what has come of it; the rest is `public`.
REQUESTED = {"team_only": "team_only", "team_and_password": "team_only", "password": "password"}
OUTCOMES = (*REFUSALS, "team_only", "allow")


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens when a link is asked for: by one account or all, at one path or everywhere.

    `team_only` makes the link, but for the team only; `allow` makes an exception from what was said before.
    """

    outcome: str
    account: str | None = None
    path: str | None = None

    def covers(self, account: Account, path: str) -> bool:
        who = self.account in {None, account.key}
        return who and (self.path is None or path_matches(self.path, path) or path_matches(f"{self.path}/*", path))


@dataclass(eq=False)
class Link:
    url: str
    creator: Account
    namespace: Namespace
    node: Node
    number: int
    wish: Wish

    def leads_somewhere(self, now: datetime) -> bool:
        alive = self.namespace.by_id.get(self.node.id) is self.node
        return alive and (self.wish.expires is None or now < self.wish.expires)

    def admits(self, account: Account | None) -> bool:
        """Whether this account may follow the link."""
        if self.wish.audience != "team":
            return True
        return account is not None and self.creator.team is not None and account.team is self.creator.team


@dataclass
class Links:
    """All links. A person has one link to a thing at most; each person has their own."""

    public_url: str
    policies: list[Policy] = field(default_factory=list)
    embed_existing: bool = True
    by_url: dict[str, Link] = field(default_factory=dict)
    by_target: dict[tuple[str, str], Link] = field(default_factory=dict)
    made: int = 0
    cursors: dict[str, tuple[View, int]] = field(default_factory=dict)

    def decide(self, account: Account, path: str) -> str:
        """The outcome of the last policy that covers this, `allow` if none does."""
        covering = (policy.outcome for policy in reversed(self.policies) if policy.covers(account, path))
        return next(covering, "allow")

    def existing(self, account: Account, node: Node, *, now: datetime) -> Link | None:
        link = self.by_target.get((account.key, node.id))
        return link if link is not None and link.leads_somewhere(now) else None

    def of(self, account: Account, *, now: datetime) -> list[Link]:
        return [link for link in self.by_url.values() if link.creator is account and link.leads_somewhere(now)]

    def make(self, account: Account, namespace: Namespace, node: Node, wish: Wish) -> Link:
        self.made += 1
        digest = hashlib.sha512(f"{account.key} {node.id} {self.made}".encode()).hexdigest()
        kind = "fi" if isinstance(node, File) else "fo"
        url = f"{self.public_url}/scl/{kind}/{digest[:21]}/{digest[21:46]}?rlkey={digest[46:71]}&dl=0"
        link = Link(url, account, namespace, node, self.made, wish)
        self.by_url[_key(url)] = self.by_target[account.key, node.id] = link
        return link

    def cursor(self, view: View, last: Link) -> str:
        """A place in the listing of somebody's links: behind a link, whatever becomes of that one."""
        value = hashlib.sha512(f"{view.account.key} {view.base.id} {last.number}".encode()).hexdigest()[:64]
        self.cursors[value] = view, last.number
        return value

    def place_of(self, cursor: str | None, view: View) -> int:
        """The number of the last link told.

        Raises:
            UnionError: the cursor was handed out to another account, for another root, or never.
        """
        if cursor is None:
            return 0
        given_to, number = self.cursors.get(cursor, (None, 0))
        if given_to != view:
            raise conflict("reset")
        return number

    def get(self, url: str) -> Link | None:
        return self.by_url.get(_key(url))

    def revoke(self, link: Link) -> None:
        del self.by_url[_key(link.url)]
        del self.by_target[link.creator.key, link.node.id]


def describe(link: Link, view: View) -> dict[str, Any]:
    """The link's metadata, with its `.tag`, as this caller sees it."""
    node = link.node
    entry: dict[str, Any] = {
        ".tag": "file" if isinstance(node, File) else "folder",
        "url": link.url,
        "id": node.id,
        "name": node.name,
        "link_permissions": _permissions(link, view.account),
    }
    if link.creator is view.account and link.namespace in view.account.namespaces and view.sees(node):
        entry["path_lower"] = lower("".join(f"/{name}" for name in view.names(node)))
    if link.wish.expires is not None:
        entry["expires"] = timestamp(link.wish.expires)
    if link.creator.team is not None:
        entry["team_member_info"] = _member(link.creator)
    return {**entry, **_file_fields(node)} if isinstance(node, File) else entry


def _file_fields(file: File) -> dict[str, Any]:
    return {
        "client_modified": timestamp(file.client_modified),
        "server_modified": timestamp(file.server_modified),
        "rev": file.rev,
        "size": len(file.content),
    }


def _member(creator: Account) -> dict[str, Any]:
    team = creator.team
    if team is None:
        raise ValueError("only a member of a team has a membership")
    return {
        "team_info": {"id": team.team_id, "name": team.name},
        "display_name": creator.display_name,
        "member_id": creator.full()["team_member_id"],
    }


def _permissions(link: Link, account: Account) -> dict[str, Any]:
    own, wish = link.creator is account, link.wish
    visibility = _visibility(wish)
    return {
        "resolved_visibility": {".tag": visibility},
        "requested_visibility": {".tag": REQUESTED.get(visibility, "public")},
        "effective_audience": {".tag": wish.audience},
        "link_access_level": {".tag": wish.access},
        "can_revoke": own,
        "visibility_policies": [
            {"policy": {".tag": policy}, "resolved_policy": {".tag": policy}, "allowed": own}
            for policy in ("public", "password")
        ],
        "can_set_expiry": own and not account.basic,
        "can_remove_expiry": own and not account.basic,
        "can_set_password": own and not account.basic,
        "allow_download": wish.allow_download,
        "can_allow_download": own,
        "can_disallow_download": own,
        "allow_comments": True,
        "team_restricts_comments": False,
        "require_password": wish.password is not None,
    }


def _visibility(wish: Wish) -> str:
    if wish.password is not None:
        return "team_and_password" if wish.audience == "team" else "password"
    return {"public": "public", "team": "team_only", "no_one": "no_one"}[wish.audience]


def _key(url: str) -> str:
    """What tells links apart: the address without scheme, host and `dl`."""
    path, _, query = url.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith("dl="))
    return f"{path.partition('://')[2].partition('/')[2]}?{kept}"
