"""`files/list_revisions` and `files/restore`: what a file was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.names import fold
from dropbox_standin.placing import NotWritten, put_file
from dropbox_standin.tree import File
from dropbox_standin.views import without_tag
from dropbox_standin.wire import Answer, answer_json, conflict

if TYPE_CHECKING:
    from dropbox_standin.tree import Node
    from dropbox_standin.views import Place


def list_revisions(call: Call) -> Answer:
    mode, before = args.tag_of(call.args["mode"]), call.args["before_rev"]
    if mode == "id" and before is not None:
        raise conflict("before_rev_not_supported")
    place, latest = _latest(call)
    revisions = [file for file in _newest_first(place) if mode == "path" or file.id == latest.id]
    if mode == "path":
        revisions = [file for file in revisions if _key(file) == _key(latest)]
    if before is not None:
        revs = [file.rev for file in revisions]
        if before not in revs:
            raise conflict("invalid_before_rev")
        revisions = revisions[revs.index(before) + 1 :]
    page = revisions[: call.args["limit"]]
    is_deleted = place.namespace.by_id.get(latest.id) is None
    return answer_json(
        {
            "is_deleted": is_deleted,
            "entries": [without_tag(call.view.describe(file)) for file in page],
            "has_more": len(page) < len(revisions),
        }
    )


def restore(call: Call) -> Answer:
    file = next(filter(None, (space.by_rev.get(call.args["rev"]) for space in call.account.namespaces)), None)
    if file is None or not call.view.sees(file):
        raise conflict("invalid_revision")
    commit: dict[str, Any] = {
        "path": call.args["path"],
        "mode": "overwrite",
        "autorename": False,
        "client_modified": None,
        "strict_conflict": True,  # restoring is a write, be it of the same bytes
    }
    try:
        restored = put_file(call, commit, file.content)
    except NotWritten as error:
        raise error.under("path_write") from None
    return answer_json(without_tag(call.view.describe(restored)))


def _latest(call: Call) -> tuple[Place, File]:
    """Where the path leads, and the newest file that is or was there.

    Raises:
        UnionError: there is a folder, or there never was a file.
    """
    place = call.view.locate(call.args["path"])
    if place.node is not None:
        return place, _file(place.node)
    identity = call.args["path"] if call.args["path"].startswith("id:") else None
    for space in call.account.namespaces if identity else ():
        for file in reversed(space.by_rev.values()):
            if file.id == identity and call.view.sees(file):
                return call.view.locate(f"ns:{space.id}"), file
    key = tuple(map(fold, place.parts))
    for file in _newest_first(place):
        if _key(file) == key and call.view.sees(file):
            return place, file
    raise conflict("path", "not_found")


def _file(node: Node) -> File:
    if not isinstance(node, File):
        raise conflict("path", "not_file")
    return node


def _newest_first(place: Place) -> list[File]:
    return list(reversed(place.namespace.by_rev.values()))


def _key(file: File) -> tuple[str, ...]:
    return tuple(map(fold, file.names()))


ROUTES = (
    Route(
        "files/list_revisions",
        list_revisions,
        {
            "path": args.string(args.WRITE_PATH_OR_ID),
            "mode": args.union("path", "id", default="path"),
            "limit": args.integer(1, 100, default=10),
            "before_rev": args.string(r"[0-9a-f]{9,}", default=None),
            "include_restorable_info": args.boolean(default=False),
        },
        "files.metadata.read",
    ),
    Route(
        "files/restore",
        restore,
        {"path": args.string(args.WRITE_PATH), "rev": args.string(r"[0-9a-f]{9,}")},
        "files.content.write",
    ),
)
