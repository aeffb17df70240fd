"""What somebody wants a new link to be, checked as the specification says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.tree import File
from dropbox_standin.wire import BadRequest, conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropbox_standin.accounts import Account
    from dropbox_standin.tree import Node

SETTINGS_FIELDS = {
    "require_password": args.boolean(default=None),
    "link_password": args.string(default=None),
    "expires": args.string(default=None),
    "audience": args.union("public", "team", "no_one", "password", "members"),
    "access": args.union("viewer", "editor", "max", "default"),
    "requested_visibility": args.union("public", "team_only", "password"),
    "allow_download": args.boolean(default=None),
}
# What the older names mean in terms of an audience.
AUDIENCES = {"public": "public", "team": "team", "team_only": "team", "no_one": "no_one", "members": "no_one"}


@dataclass(frozen=True, slots=True)
class Wish:
    """The settings of a link.

    Attributes:
        audience: `public`, `team` or `no_one`.
        access: `viewer` or `editor`.
    """

    audience: str = "public"
    access: str = "viewer"
    password: str | None = None
    expires: datetime | None = None
    allow_download: bool = True


def read(given: Mapping[str, Any] | None, *, account: Account, node: Node, now: datetime) -> Wish:
    """The wish that the settings express.

    Raises:
        UnionError: they contradict each other, or the account may not wish for that.
        BadRequest: a moment is none.
    """
    if given is None:
        return Wish()
    settings = {name: value for name, value in given.items() if value is not None}
    if not settings:
        raise conflict("settings_error", "invalid_settings")
    tag = args.tag_of(settings.get("audience", settings.get("requested_visibility", "public")))
    wants_password = settings.get("require_password", tag == "password" or "link_password" in settings)
    wish = Wish(
        audience=AUDIENCES.get(tag, "public"),
        access=_access(settings, node),
        password=settings.get("link_password") if wants_password else None,
        expires=_moment(settings["expires"]) if "expires" in settings else None,
        allow_download=settings.get("allow_download", True),
    )
    if account.basic and (wants_password or wish.expires or wish.audience == "team"):
        raise conflict("settings_error", "not_authorized")
    in_the_past = wish.expires is not None and wish.expires <= now
    if (wants_password and not wish.password) or in_the_past or (wish.audience == "team" and account.team is None):
        raise conflict("settings_error", "invalid_settings")
    return wish


def _access(settings: Mapping[str, Any], node: Node) -> str:
    """Folders can be edited through a link; the files that are kept here cannot."""
    asked = args.tag_of(settings.get("access", "default"))
    if asked == "editor" and isinstance(node, File):
        raise conflict("settings_error", "invalid_settings")
    return "editor" if asked in {"editor", "max"} and not isinstance(node, File) else "viewer"


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        reason = f"time data '{text}' does not match format '%Y-%m-%dT%H:%M:%SZ'"
        raise BadRequest(f"request body: settings: expires: {reason}") from None
