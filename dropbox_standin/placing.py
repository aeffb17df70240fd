"""Putting something into a tree: where a path leads, under which name, and why it may not be."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.names import fold
from dropbox_standin.tree import File, Folder, Node, Occupied
from dropbox_standin.wire import Union, UnionError, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropbox_standin.call import Call
    from dropbox_standin.views import Place

CONFLICTED = "conflicted copy"
# Dropbox's list of files that it ignores.
DISALLOWED = re.compile(r"desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr", re.IGNORECASE)
CLIENT_TIME = "%Y-%m-%dT%H:%M:%SZ"


class NotWritten(Exception):
    """Nothing was written; `reason` is the specification's `WriteError`, which each route wraps in a union of its own."""

    def __init__(self, *tags: str) -> None:
        super().__init__("/".join(tags))
        self.reason: Union = tagged(*tags)

    def under(self, tag: str) -> UnionError:
        """The answer of a route whose error is a union with this tag for what cannot be written."""
        return UnionError({".tag": tag, tag: self.reason})


def target(call: Call, path: str) -> Place:
    """Where a path leads, if something may be put there.

    Raises:
        NotWritten: the path leads nowhere, or not to a place for this account to write.
    """
    try:
        place = call.view.locate(path)
    except UnionError as error:
        # What cannot be looked up, such as the namespace of somebody else, has no word of its own among write errors.
        reason = error.error["path"][".tag"]
        raise NotWritten("no_write_permission" if reason == "not_found" else reason) from None
    if path.startswith("id:") and place.node is None and place.parts[:1] == (path.partition("/")[0],):
        raise NotWritten("malformed_path")  # an id that nothing has is no name to give
    if not call.view.may_write(place):
        raise NotWritten("no_write_permission")
    _check_names(place)
    shown = "".join(f"/{name}" for name in (*call.view.prefix(place.namespace), *place.parts))
    if (ordered := call.world.refusals.take(call.account, place, shown)) is not None:
        raise NotWritten(*ordered)
    return place


def _check_names(place: Place) -> None:
    space, parts = place.namespace, place.parts
    if parts and fold(parts[0]) in space.taken:
        raise NotWritten(*(("conflict", "folder") if len(parts) == 1 else ("no_write_permission",)))
    missing = (parts[depth] for depth in range(len(parts)) if space.find(parts[: depth + 1]) is None)
    if any(name != name.rstrip() or DISALLOWED.fullmatch(name) for name in missing):
        raise NotWritten("disallowed_name")


def put_folder(call: Call, path: str, *, autorename: bool) -> Folder:
    """Make a folder, and those above it.

    Raises:
        NotWritten: the name is taken, or nothing may be put there.
    """
    place = target(call, path)
    if place.node is not None and not (autorename and place.parts):
        raise NotWritten("conflict", kind_of(place.node))
    return folder_at(call, place, free_name(place))


def put_file(call: Call, commit: Mapping[str, Any], content: bytes) -> File:
    """Write a file as a `CommitInfo` says; what holds the same bytes already stays as it is.

    Raises:
        NotWritten: the name is taken, or nothing may be put there.
    """
    place = target(call, commit["path"])
    if not place.parts:
        raise NotWritten("malformed_path")
    tag, node = args.tag_of(commit["mode"]), place.node
    if isinstance(node, File) and node.content == content and not commit["strict_conflict"]:
        return node
    parts = place.parts
    if not _gives_way(node, commit):
        if not commit["autorename"]:
            raise NotWritten("conflict", kind_of(node) if node else "file")
        parts = free_name(place, word=CONFLICTED if tag == "update" else "")
    folder_at(call, place, parts[:-1])
    moment = _client_modified(commit["client_modified"])
    file = place.namespace.put_file(parts, content=content, client_modified=moment)
    call.world.tell(place.namespace)
    return file


def _gives_way(node: Node | None, commit: Mapping[str, Any]) -> bool:
    """Whether what stands at the place, if anything, is to be replaced in this mode."""
    mode = commit["mode"]
    tag = args.tag_of(mode)
    if node is None:
        return tag != "update" or not commit["strict_conflict"]
    return isinstance(node, File) and (tag == "overwrite" or (tag == "update" and mode["update"] == node.rev))


def folder_at(call: Call, place: Place, parts: tuple[str, ...]) -> Folder:
    """The folder at these components of the place's namespace, made if it is missing.

    Raises:
        NotWritten: a file stands in the way.
    """
    depth = next((depth for depth in range(len(parts)) if not place.namespace.find(parts[: depth + 1])), len(parts))
    try:
        folder = place.namespace.put_folder(parts)
    except Occupied:
        raise NotWritten("conflict", "file_ancestor") from None
    for made in folder.lineage()[depth:]:
        call.world.refusals.note_made(made)
    return folder


def free_name(place: Place, *, word: str = "") -> tuple[str, ...]:
    """The place's own name, or one that is free.

    That is `name (1)`, `name (2)`; with a word, `name (word)`, `name (word 1)`.
    """
    parts, number = place.parts, 0 if word else 1
    name = PurePosixPath(place.parts[-1]) if place.parts else PurePosixPath()
    while place.namespace.find(parts) is not None:
        mark = " ".join(filter(None, (word, str(number) if number else "")))
        parts = (*place.parts[:-1], f"{name.stem} ({mark}){name.suffix}")
        number += 1
    return parts


def kind_of(node: Node) -> str:
    return "file" if isinstance(node, File) else "folder"


def _client_modified(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, CLIENT_TIME).replace(tzinfo=UTC)


def _is_client_time(value: str) -> str | None:
    try:
        _client_modified(value)
    except ValueError:
        return f"time data '{value}' does not match format '{CLIENT_TIME}'"
    return None


COMMIT_FIELDS: Mapping[str, args.Field] = {
    "path": args.string(args.WRITE_PATH_OR_ID),
    "mode": args.union("add", "overwrite", "update", default={".tag": "add"}),
    "autorename": args.boolean(default=False),
    "client_modified": args.string(default=None, also=_is_client_time),
    "mute": args.boolean(default=False),
    "property_groups": args.anything(),
    "strict_conflict": args.boolean(default=False),
}
