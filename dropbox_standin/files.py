"""The routes of `files/` that tell what is there: listings and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropbox_standin import args, cursors
from dropbox_standin.call import Call, Route
from dropbox_standin.tree import Folder, Node
from dropbox_standin.wire import Answer, BadRequest, answer_json, conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropbox_standin.views import View
    from dropbox_standin.world import World

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


def get_metadata(call: Call) -> Answer:
    path = call.args["path"]
    if path in {"", "/"}:
        raise BadRequest("request body: path: The root folder is unsupported.")
    place = call.view.locate(path)
    if place.node is not None and place.node is not call.view.start:
        return answer_json(call.view.describe(place.node))
    # What is only hidden from the account was not deleted.
    if call.args["include_deleted"] and call.view.sees_all_above(place):
        names = place.namespace.deleted_at(place.parts)
        if names is not None:
            return answer_json(call.view.describe_deleted(place.namespace, names))
    raise conflict("path", "not_found")


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
        include_mounted=call.args["include_mounted_folders"],
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

ROUTES = (
    Route("files/list_folder", list_folder, LIST_FIELDS, "files.metadata.read"),
    Route("files/list_folder/continue", list_folder_continue, {"cursor": args.string()}, "files.metadata.read"),
    Route("files/list_folder/get_latest_cursor", get_latest_cursor, LIST_FIELDS, "files.metadata.read"),
    Route("files/get_metadata", get_metadata, METADATA_FIELDS, "files.metadata.read"),
)
