"""The routes of `sharing/` for links."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropbox_standin import args, links, wishes
from dropbox_standin.call import Call, Route
from dropbox_standin.names import split
from dropbox_standin.sights import OPEN
from dropbox_standin.tree import Folder
from dropbox_standin.wire import Answer, UnionError, answer_json, conflict

if TYPE_CHECKING:
    from dropbox_standin.links import Link
    from dropbox_standin.tree import Node

LINKS_IN_A_PAGE = 200


def create_shared_link(call: Call) -> Answer:
    path = call.args["path"]
    node = call.view.find(path)
    names = "".join(f"/{name}" for name in call.view.names(node))
    outcome = call.world.links.decide(call.account, names)
    if outcome in links.REFUSALS:
        raise UnionError(links.REFUSALS[outcome])
    if call.view.sight(node) not in OPEN:
        raise conflict("access_denied")
    if not call.account.email_verified:
        raise conflict("email_not_verified")
    now = call.world.clock.now()
    if (link := call.world.links.existing(call.account, node, now=now)) is not None:
        raise _already_exists(call, link, has_settings=bool(call.args["settings"]))
    wish = wishes.read(call.args["settings"], account=call.account, node=node, now=now)
    if outcome == "team_only":
        wish = replace(wish, audience="team")
    link = call.world.links.make(call.account, call.view.namespace_of(node), node, wish)
    return answer_json(links.describe(link, call.view))


def list_shared_links(call: Call) -> Answer:
    path, now = call.args["path"], call.world.clock.now()
    own = call.world.links.of(call.account, now=now)
    if path:
        found = _links_to(own, call.view.find(path), direct_only=call.args["direct_only"])
        return answer_json({"links": [links.describe(link, call.view) for link in found], "has_more": False})
    after = call.world.links.place_of(call.args["cursor"], call.view)
    here = [link for link in own if link.namespace is call.view.base and link.number > after]
    page = here[:LINKS_IN_A_PAGE]
    listing: dict[str, Any] = {"links": [links.describe(link, call.view) for link in page], "has_more": False}
    if len(here) > len(page):
        listing.update(has_more=True, cursor=call.world.links.cursor(call.view, page[-1]))
    return answer_json(listing)


def get_shared_link_metadata(call: Call) -> Answer:
    link = follow(call, call.args["url"])
    node = reached(call, link, path=call.args["path"], password=call.args["link_password"])
    return answer_json(links.describe(replace(link, node=node), call.view))


def reached(call: Call, link: Link, *, path: str | None, password: str | None) -> Node:
    """What a caller comes to by a link, and a path within it.

    Raises:
        UnionError: the link is not for this caller, or there is nothing at the path.
    """
    if not link.admits(call.account) or link.wish.password not in {None, password}:
        raise conflict("shared_link_access_denied")
    if not isinstance(link.node, Folder):
        return link.node
    node = link.namespace.find(split(path or ""), start=link.node)
    if node is None:
        raise conflict("shared_link_not_found")
    return node


def revoke_shared_link(call: Call) -> Answer:
    link = follow(call, call.args["url"])
    if link.creator is not call.account:
        raise conflict("shared_link_access_denied")
    call.world.links.revoke(link)
    return answer_json(None)


def follow(call: Call, url: str) -> Link:
    link = call.world.links.get(url)
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


ROUTES = (
    Route(
        "sharing/create_shared_link_with_settings",
        create_shared_link,
        {"path": args.string(args.READ_PATH), "settings": args.struct(wishes.SETTINGS_FIELDS)},
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
