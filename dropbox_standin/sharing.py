"""The routes of `sharing/` for links."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropbox_standin import args, links
from dropbox_standin.call import Call, Route
from dropbox_standin.sights import FULL
from dropbox_standin.tree import Folder, split
from dropbox_standin.wire import Answer, BadRequest, UnionError, answer_json, conflict

if TYPE_CHECKING:
    from dropbox_standin.links import Link
    from dropbox_standin.tree import Node

LINKS_IN_A_PAGE = 200

SETTINGS_FIELDS = {
    "require_password": args.boolean(default=None),
    "link_password": args.string(default=None),
    "expires": args.string(default=None),
    "audience": args.union("public", "team", "no_one", "password", "members"),
    "access": args.union("viewer", "editor", "max", "default"),
    "requested_visibility": args.union("public", "team_only", "password"),
    "allow_download": args.boolean(default=None),
}


def create_shared_link(call: Call) -> Answer:
    path = call.args["path"]
    node = call.view.find(path)
    settings = {name: value for name, value in (call.args["settings"] or {}).items() if value is not None}
    names = "".join(f"/{name}" for name in call.view.names(node))
    outcome = call.world.links.decide(call.account, names)
    if outcome in links.REFUSALS:
        raise UnionError(links.REFUSALS[outcome])
    if call.view.sight(node) != FULL:
        raise conflict("access_denied")
    if not call.account.email_verified:
        raise conflict("email_not_verified")
    now = call.world.clock.now()
    if (link := call.world.links.existing(call.account, node, now=now)) is not None:
        raise _already_exists(call, link, has_settings=bool(settings))
    _check_settings(call, settings)
    link = call.world.links.make(call.account, call.view.namespace_of(node), node)
    _apply(link, settings, team_only=outcome == "team_only")
    return answer_json(links.describe(link, call.view))


def list_shared_links(call: Call) -> Answer:
    path, now = call.args["path"], call.world.clock.now()
    own = call.world.links.of(call.account, now=now)
    if path:
        found = _links_to(own, call.view.find(path), direct_only=call.args["direct_only"])
        return answer_json({"links": [links.describe(link, call.view) for link in found], "has_more": False})
    here = [link for link in own if link.namespace is call.view.base]
    first = _offset(call.args["cursor"])
    page = here[first : first + LINKS_IN_A_PAGE]
    listing: dict[str, Any] = {"links": [links.describe(link, call.view) for link in page], "has_more": False}
    if first + LINKS_IN_A_PAGE < len(here):
        listing.update(has_more=True, cursor=f"links-{first + LINKS_IN_A_PAGE}")
    return answer_json(listing)


def get_shared_link_metadata(call: Call) -> Answer:
    link = _follow(call)
    if not link.admits(call.account):
        raise conflict("shared_link_access_denied")
    if link.password is not None and call.args["link_password"] != link.password:
        raise conflict("shared_link_access_denied")
    start = link.node if isinstance(link.node, Folder) else None
    node = link.namespace.find(split(call.args["path"] or ""), start=start)
    if start is not None and node is None:
        raise conflict("shared_link_not_found")
    return answer_json(links.describe(replace(link, node=node) if start and node else link, call.view))


def revoke_shared_link(call: Call) -> Answer:
    link = _follow(call)
    if link.creator is not call.account:
        raise conflict("shared_link_access_denied")
    call.world.links.revoke(link)
    return answer_json(None)


def _follow(call: Call) -> Link:
    link = call.world.links.get(call.args["url"])
    if link is None or not link.leads_somewhere(call.world.clock.now()):
        raise conflict("shared_link_not_found")
    return link


def _links_to(own: list[Link], node: Node, *, direct_only: bool | None) -> list[Link]:
    """Links to the node, and unless told otherwise to every folder above it, as the real service does."""
    above = {node} if direct_only else {node, node.root(), *node.lineage()}
    return [link for link in own if link.node in above]


def _already_exists(call: Call, link: Link, *, has_settings: bool) -> UnionError:
    """The existing link comes along, unless the settings asked for might not be its own."""
    error: dict[str, Any] = {".tag": "shared_link_already_exists"}
    if call.world.links.embed_existing and not has_settings:
        metadata = {".tag": "metadata", "metadata": links.describe(link, call.view)}
        error["shared_link_already_exists"] = metadata
    return UnionError(error)


def _check_settings(call: Call, settings: dict[str, Any]) -> None:
    restricted = {"expires", "link_password", "require_password"} & settings.keys()
    audience = args.tag_of(settings.get("audience", "public"))
    if call.account.basic and (restricted or audience not in {"public", "no_one"}):
        raise conflict("settings_error", "not_authorized")
    if call.account.team is None and audience == "team":
        raise conflict("settings_error", "invalid_settings")
    if settings.get("require_password") and not settings.get("link_password"):
        raise conflict("settings_error", "invalid_settings")
    if "expires" in settings and _moment(settings["expires"]) <= call.world.clock.now():
        raise conflict("settings_error", "invalid_settings")


def _apply(link: Link, settings: dict[str, Any], *, team_only: bool) -> None:
    audience = args.tag_of(settings.get("audience", "public"))
    wants_team = team_only or args.tag_of(settings.get("requested_visibility", "public")) == "team_only"
    link.audience = "team" if wants_team else {"members": "no_one"}.get(audience, audience)
    link.password = settings.get("link_password")
    link.allow_download = settings.get("allow_download", True)
    if "expires" in settings:
        link.expires = _moment(settings["expires"])


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        reason = f"time data '{text}' does not match format '%Y-%m-%dT%H:%M:%SZ'"
        raise BadRequest(f"request body: settings: expires: {reason}") from None


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix("links-")
    if not number.isdecimal():
        raise conflict("reset")
    return int(number)


ROUTES = (
    Route(
        "sharing/create_shared_link_with_settings",
        create_shared_link,
        {"path": args.string(args.READ_PATH), "settings": args.struct(SETTINGS_FIELDS)},
        "sharing.write",
    ),
    Route(
        "sharing/list_shared_links",
        list_shared_links,
        {
            "path": args.string(args.READ_PATH + "|", default=None),
            "cursor": args.string(default=None),
            "direct_only": args.boolean(default=None),
        },
        "sharing.read",
    ),
    Route(
        "sharing/get_shared_link_metadata",
        get_shared_link_metadata,
        {
            "url": args.string(),
            "path": args.string(r"/(.|[\r\n])*", default=None),
            "link_password": args.string(default=None),
        },
        "sharing.read",
    ),
    Route("sharing/revoke_shared_link", revoke_shared_link, {"url": args.string()}, "sharing.write"),
)
