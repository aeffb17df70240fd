"""The routes of `files/` that read: listings, metadata, downloads."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from dropbox_standin import args, cursors
from dropbox_standin.call import Call, OpenRoute, Route
from dropbox_standin.tree import File, Folder, Node
from dropbox_standin.views import without_tag
from dropbox_standin.wire import BINARY, Answer, BadRequest, answer_json, answer_text, conflict, encode_header
from dropbox_standin.world import TemporaryLink, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropbox_standin.views import View

TEMPORARY_LINK_S = 4 * 3600
LONGEST_LONGPOLL_S = 480

LIST_FIELDS = {
    "path": args.string(args.LISTED_PATH),
    "recursive": args.boolean(default=False),
    "include_media_info": args.boolean(default=False),
    "include_deleted": args.boolean(default=False),
    "include_has_explicit_shared_members": args.boolean(default=False),
    "include_mounted_folders": args.boolean(default=True),
    "limit": args.integer(1, 2000, default=None),
    "shared_link": args.anything(),
    "include_property_groups": args.anything(),
    "include_non_downloadable_files": args.boolean(default=True),
    "include_restorable_info": args.boolean(default=False),
}


def list_folder(call: Call) -> Answer:
    return _answer_page(call.world, _start(call))


def list_folder_continue(call: Call) -> Answer:
    cursor = call.world.cursors.get(call.args["cursor"], account_id=call.account.account_id)
    return _answer_page(call.world, cursor)


def get_latest_cursor(call: Call) -> Answer:
    return answer_json({"cursor": call.world.cursors.keep(_start(call, latest=True))})


async def longpoll(world: World, arguments: dict[str, Any]) -> Answer:
    """Wait until the cursor has news, for `timeout` seconds at most."""
    cursor = world.cursors.get(arguments["cursor"], account_id=None)
    cap = world.settings.longpoll_cap_s
    until = time.monotonic() + min(arguments["timeout"], LONGEST_LONGPOLL_S if cap is None else cap)
    while not world.cursors.has_news(cursor) and (left_s := until - time.monotonic()) > 0 and not world.closed:
        await world.wait_for_news(at_most_s=left_s)
    return answer_json({"changes": world.cursors.has_news(cursor)})


def get_metadata(call: Call) -> Answer:
    path = call.args["path"]
    if path in {"", "/"}:
        raise BadRequest("request body: path: The root folder is unsupported.")
    place = call.view.locate(path)
    if place.node is not None and not (place.is_root and place.namespace is call.view.base):
        return answer_json(call.view.describe(place.node))
    # What is only hidden from the account was not deleted.
    if call.args["include_deleted"] and call.view.may_write(place):
        names = place.namespace.deleted_at(place.parts)
        if names is not None:
            return answer_json(call.view.describe_deleted(place.namespace, names))
    raise conflict("path", "not_found")


def download(call: Call) -> Answer:
    file = find_file(call)
    headers = {
        "Dropbox-API-Result": encode_header(without_tag(call.view.describe(file))),
        "ETag": f'W/"{file.rev}"',
        "Accept-Ranges": "bytes",
    }
    asked, size = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("range", "")), len(file.content)
    if asked is None:
        return Answer(file.content, 200, BINARY, headers)
    first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
    if first >= size:
        return answer_text("The range begins behind the end.", status=416)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Answer(file.content[first : last + 1], 206, BINARY, headers)


def get_temporary_link(call: Call) -> Answer:
    file = find_file(call)
    key = call.world.tokens.random()
    expires_at = call.world.clock.time() + TEMPORARY_LINK_S
    call.world.temporary_links[key] = TemporaryLink(file.content, file.name, expires_at)
    link = f"{call.world.public_url}/apitl/1/{key}"
    return answer_json({"metadata": without_tag(call.view.describe(file)), "link": link})


def find_file(call: Call) -> File:
    """The file at the argument's path.

    Raises:
        UnionError: there is nothing, or a folder.
    """
    node = call.view.find(call.args["path"])
    if not isinstance(node, File):
        raise conflict("path", "not_file")
    return node


def _start(call: Call, *, latest: bool = False) -> cursors.Cursor:
    path = call.args["path"]
    if path == "/":
        raise BadRequest('request body: path: Specify the root folder as an empty string rather than as "/".')
    if call.args["shared_link"] is not None:
        raise BadRequest("request body: shared_link: the stand-in lists by path only")
    settings = call.world.settings
    return cursors.start(
        view=call.view,
        folder=_folder(call.view, call.view.find(path)),
        path=path,
        recursive=call.args["recursive"],
        include_deleted=call.args["include_deleted"],
        limit=min(call.args["limit"] or settings.page_size, settings.page_size),
        latest=latest,
        empty_pages=settings.empty_pages,
    )


def _folder(view: View, node: Node) -> Folder:
    if not isinstance(node, Folder):
        raise conflict("path", "not_folder")
    if not view.may_open(node):
        raise conflict("path", "not_found")
    return node


def _answer_page(world: World, cursor: cursors.Cursor) -> Answer:
    entries, behind, has_more = world.cursors.page(cursor)
    return answer_json({"entries": entries, "cursor": world.cursors.keep(behind), "has_more": has_more})


METADATA_FIELDS: Mapping[str, args.Field] = {
    "path": args.string(args.READ_PATH + "|"),
    "include_media_info": args.boolean(default=False),
    "include_deleted": args.boolean(default=False),
    "include_has_explicit_shared_members": args.boolean(default=False),
    "include_property_groups": args.anything(),
}
ONE_FILE = {"path": args.string(args.READ_PATH), "rev": args.anything()}

ROUTES = (
    Route("files/list_folder", list_folder, LIST_FIELDS, "files.metadata.read"),
    Route("files/list_folder/continue", list_folder_continue, {"cursor": args.string()}, "files.metadata.read"),
    Route("files/list_folder/get_latest_cursor", get_latest_cursor, LIST_FIELDS, "files.metadata.read"),
    Route("files/get_metadata", get_metadata, METADATA_FIELDS, "files.metadata.read"),
    Route("files/download", download, ONE_FILE, "files.content.read", "download"),
    Route("files/get_temporary_link", get_temporary_link, ONE_FILE, "files.content.read"),
)
LONGPOLL = OpenRoute(
    "files/list_folder/longpoll",
    longpoll,
    {"cursor": args.string(), "timeout": args.integer(30, LONGEST_LONGPOLL_S, default=30)},
)
