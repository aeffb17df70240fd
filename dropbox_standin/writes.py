"""The routes of `files/` that make, delete, move and copy; each has an older name with a barer answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.names import fold
from dropbox_standin.placing import NotWritten, folder_at, free_name, kind_of, put_folder, target
from dropbox_standin.tree import File, Folder, Node
from dropbox_standin.views import without_tag
from dropbox_standin.wire import answer_json, conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropbox_standin.views import Place

MOST_RELOCATED = 10_000


def create_folder(call: Call) -> dict[str, Any]:
    try:
        folder = put_folder(call, call.args["path"], autorename=call.args["autorename"])
    except NotWritten as error:
        raise error.under("path") from None
    call.world.tell(call.view.namespace_of(folder))
    return without_tag(call.view.describe(folder))


def delete(call: Call) -> dict[str, Any]:
    place = call.view.locate(call.args["path"], outer="path_lookup")
    node = _existing(place, "path_lookup")
    if not call.view.may_write(place):
        raise conflict("path_write", "no_write_permission")
    wanted = call.args["parent_rev"]
    if wanted is not None and isinstance(node, File) and node.rev != wanted:
        raise conflict("path_write", "conflict", "file")
    if call.view.is_team_folder(node):
        raise conflict("path_write", "team_folder")
    metadata = call.view.describe(node)
    place.namespace.remove(node)
    call.world.tell(place.namespace)
    return metadata


def move(call: Call) -> dict[str, Any]:
    source = call.view.locate(call.args["from_path"], outer="from_lookup")
    node = _existing(source, "from_lookup")
    if not call.view.may_write(source):
        raise conflict("from_write", "no_write_permission")
    try:
        goal = target(call, call.args["to_path"])
        if source.namespace is not goal.namespace:
            raise conflict("cant_move_shared_folder")
        _check_relocation(node, source, goal, "cant_move_folder_into_itself")
        parts = _new_name(call, goal, itself=node)
        if call.view.is_team_folder(node):
            raise conflict("from_write", "team_folder")
        parent = folder_at(call, goal, parts[:-1])
    except NotWritten as error:
        raise error.under("to") from None
    goal.namespace.move(node, parent=parent, name=parts[-1])
    call.world.tell(goal.namespace)
    return call.view.describe(node)


def copy(call: Call) -> dict[str, Any]:
    source = call.view.locate(call.args["from_path"], outer="from_lookup")
    if source.is_root:
        raise conflict("cant_copy_shared_folder")
    node = _existing(source, "from_lookup")
    try:
        goal = target(call, call.args["to_path"])
        _check_relocation(node, source, goal, "duplicated_or_nested_paths")
        parts = _new_name(call, goal, itself=None)
        folder_at(call, goal, parts[:-1])
    except NotWritten as error:
        raise error.under("to") from None
    made = _copy_to(goal, parts, node)
    call.world.tell(goal.namespace)
    return call.view.describe(made)


def _copy_to(goal: Place, parts: tuple[str, ...], node: Node) -> Node:
    """A copy of what the node holds, with ids of its own."""
    if isinstance(node, File):
        return goal.namespace.put_file(parts, content=node.content, client_modified=node.client_modified)
    made = goal.namespace.put_folder(parts)
    for child in node.sorted_children() if isinstance(node, Folder) else ():
        _copy_to(goal, (*parts, child.name), child)
    return made


def _check_relocation(node: Node, source: Place, goal: Place, nested: str) -> None:
    if not isinstance(node, Folder):
        return
    if source.namespace is goal.namespace and _is_inside(goal.parts, source.parts):
        raise conflict(nested)
    if sum(1 for _ in node.walk()) >= MOST_RELOCATED:
        raise conflict("too_many_files")


def _new_name(call: Call, goal: Place, *, itself: Node | None) -> tuple[str, ...]:
    """Raises: NotWritten: something else has the name."""
    if goal.node is None or goal.node is itself:
        return goal.parts
    if not (call.args["autorename"] and goal.parts):
        raise NotWritten("conflict", kind_of(goal.node))
    return free_name(goal)


def _existing(place: Place, outer: str) -> Node:
    if place.node is None:
        raise conflict(outer, "not_found")
    if place.is_root:
        raise conflict(outer, "restricted_content")
    return place.node


def _is_inside(parts: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    inside = tuple(map(fold, parts[: len(folder)])) == tuple(map(fold, folder))
    return inside and len(parts) > len(folder)


CREATE_FIELDS = {"path": args.string(args.WRITE_PATH), "autorename": args.boolean(default=False)}
DELETE_FIELDS = {
    "path": args.string(args.WRITE_PATH_OR_ID),
    "parent_rev": args.string(r"[0-9a-f]{9,}", default=None),
}
RELOCATION_FIELDS = {
    "from_path": args.string(args.WRITE_PATH_OR_ID),
    "to_path": args.string(args.WRITE_PATH_OR_ID),
    "allow_shared_folder": args.boolean(default=False),
    "autorename": args.boolean(default=False),
    "allow_ownership_transfer": args.boolean(default=False),
}


def _both_names(
    name: str, work: Callable[[Call], dict[str, Any]], fields: Mapping[str, args.Field]
) -> tuple[Route, Route]:
    """The route, and the older one of the same name whose answer is the metadata itself."""
    scope = "files.content.write"
    return (
        Route(f"files/{name}_v2", lambda call: answer_json({"metadata": work(call)}), fields, scope),
        Route(f"files/{name}", lambda call: answer_json(work(call)), fields, scope),
    )


ROUTES = (
    *_both_names("create_folder", create_folder, CREATE_FIELDS),
    *_both_names("delete", delete, DELETE_FIELDS),
    *_both_names("move", move, RELOCATION_FIELDS),
    *_both_names("copy", copy, RELOCATION_FIELDS),
)
