"""The routes of `files/` that change something."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.tree import File, Folder, Node, Occupied, content_hash, fold
from dropbox_standin.views import Place, without_tag
from dropbox_standin.wire import Answer, BadRequest, UnionError, answer_json, conflict, tagged

if TYPE_CHECKING:
    from collections.abc import Callable


def create_folder(call: Call) -> Answer:
    place = call.view.locate(call.args["path"])
    if not call.view.may_write(place):
        raise conflict("path", "no_write_permission")
    if place.node is not None and not call.args["autorename"]:
        raise conflict("path", "conflict", _kind(place.node))
    parts = free_name(place)
    folder = _placed(lambda: place.namespace.put_folder(parts), "path")
    call.world.tell(place.namespace)
    return answer_json({"metadata": without_tag(call.view.describe(folder))})


def upload(call: Call) -> Answer:
    expected = call.args["content_hash"]
    if expected is not None and expected != content_hash(call.content):
        raise conflict("content_hash_mismatch")
    place = call.view.locate(call.args["path"])
    if not place.parts:
        raise _upload_error(tagged("malformed_path"))
    if not call.view.may_write(place):
        raise _upload_error(tagged("no_write_permission"))
    parts = place.parts if _may_overwrite(call, place) else free_name(place)
    moment = _client_modified(call.args["client_modified"])
    try:
        file = place.namespace.put_file(parts, content=call.content, client_modified=moment)
    except Occupied as occupied:
        raise _upload_error(tagged("conflict", _ancestor_kind(occupied, parts))) from None
    call.world.tell(place.namespace)
    return answer_json(without_tag(call.view.describe(file)))


def delete(call: Call) -> Answer:
    place = call.view.locate(call.args["path"], outer="path_lookup")
    node = _existing(place, "path_lookup")
    if not call.view.may_write(place):
        raise conflict("path_write", "no_write_permission")
    wanted = call.args["parent_rev"]
    if wanted is not None and isinstance(node, File) and node.rev != wanted:
        raise conflict("path_write", "conflict", "file")
    metadata = call.view.describe(node)
    place.namespace.remove(node)
    call.world.tell(place.namespace)
    return answer_json({"metadata": metadata})


def move(call: Call) -> Answer:
    source = call.view.locate(call.args["from_path"], outer="from_lookup")
    target = call.view.locate(call.args["to_path"], outer="to")
    node = _existing(source, "from_lookup")
    if not call.view.may_write(source):
        raise conflict("from_write", "no_write_permission")
    if not call.view.may_write(target):
        raise conflict("to", "no_write_permission")
    if source.namespace is not target.namespace:
        raise conflict("cant_move_shared_folder")
    if isinstance(node, Folder) and _is_inside(target.parts, source.parts):
        raise conflict("cant_move_folder_into_itself")
    if target.node is not None and target.node is not node and not call.args["autorename"]:
        raise conflict("to", "conflict", _kind(target.node))
    parts = target.parts if target.node is node else free_name(target)
    parent = _placed(lambda: target.namespace.put_folder(parts[:-1]), "to")
    target.namespace.move(node, parent=parent, name=parts[-1])
    call.world.tell(target.namespace)
    return answer_json({"metadata": call.view.describe(node)})


def free_name(place: Place) -> tuple[str, ...]:
    """The place's own name, or with autorename `name (1)`, `name (2)`, as Dropbox does it."""
    parts, number = place.parts, 0
    while place.namespace.find(parts) is not None:
        number += 1
        name = PurePosixPath(place.parts[-1])
        parts = (*place.parts[:-1], f"{name.stem} ({number}){name.suffix}")
    return parts


def _may_overwrite(call: Call, place: Place) -> bool:
    """Whether the file at the place is to be replaced; a name that is taken is renamed or refused.

    Raises:
        UnionError: the name is taken and `autorename` is off.
    """
    if place.node is None:
        return True
    mode = call.args["mode"]
    tag = args.tag_of(mode)
    if isinstance(place.node, File):
        same = place.node.content == call.content and not call.args["strict_conflict"]
        if tag == "overwrite" or (tag == "update" and mode["update"] == place.node.rev) or (tag == "add" and same):
            return True
    if call.args["autorename"]:
        return False
    raise _upload_error(tagged("conflict", _kind(place.node)))


def _upload_error(reason: dict[str, Any]) -> UnionError:
    return UnionError({".tag": "path", "reason": reason, "upload_session_id": "pid_upload_session:standin"})


def _client_modified(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        reason = f"client_modified: time data '{text}' does not match format '%Y-%m-%dT%H:%M:%SZ'"
        raise BadRequest(f'HTTP header "Dropbox-API-Arg": {reason}') from None


def _existing(place: Place, outer: str) -> Node:
    if place.node is None:
        raise conflict(outer, "not_found")
    if place.is_root:
        raise conflict(outer, "restricted_content")
    return place.node


def _placed(place: Callable[[], Folder], outer: str) -> Folder:
    try:
        return place()
    except Occupied:
        raise conflict(outer, "conflict", "file_ancestor") from None


def _ancestor_kind(occupied: Occupied, parts: tuple[str, ...]) -> str:
    if isinstance(occupied.node, Folder):
        return "folder"
    return "file" if fold(occupied.node.name) == fold(parts[-1]) else "file_ancestor"


def _kind(node: Node) -> str:
    return "file" if isinstance(node, File) else "folder"


def _is_inside(parts: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    inside = tuple(map(fold, parts[: len(folder)])) == tuple(map(fold, folder))
    return inside and len(parts) > len(folder)


ROUTES = (
    Route(
        "files/create_folder_v2",
        create_folder,
        {"path": args.string(args.WRITE_PATH), "autorename": args.boolean(default=False)},
        "files.content.write",
    ),
    Route(
        "files/upload",
        upload,
        {
            "path": args.string(args.WRITE_PATH),
            "mode": args.union("add", "overwrite", "update", default={".tag": "add"}),
            "autorename": args.boolean(default=False),
            "client_modified": args.string(default=None),
            "mute": args.boolean(default=False),
            "property_groups": args.anything(),
            "strict_conflict": args.boolean(default=False),
            "content_hash": args.string(r"[0-9a-f]{64}", default=None),
        },
        "files.content.write",
        "upload",
    ),
    Route(
        "files/delete_v2",
        delete,
        {"path": args.string(args.WRITE_PATH), "parent_rev": args.string(r"[0-9a-f]{9,}", default=None)},
        "files.content.write",
    ),
    Route(
        "files/move_v2",
        move,
        {
            "from_path": args.string(args.WRITE_PATH),
            "to_path": args.string(args.WRITE_PATH),
            "allow_shared_folder": args.boolean(default=False),
            "autorename": args.boolean(default=False),
            "allow_ownership_transfer": args.boolean(default=False),
        },
        "files.content.write",
    ),
)
