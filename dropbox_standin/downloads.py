"""The routes of `files/` that hand out content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.tree import File
from dropbox_standin.views import without_tag
from dropbox_standin.wire import BINARY, Answer, answer_json, answer_text, conflict, encode_header
from dropbox_standin.world import TemporaryLink

if TYPE_CHECKING:
    from dropbox_standin.tree import Node

TEMPORARY_LINK_S = 4 * 3600


def download(call: Call) -> Answer:
    rev = call.args["rev"]
    file = _file(call.view.find(call.args["path"] if rev is None else f"rev:{rev}"))
    etag = f'W/"{file.rev}"'
    if etag in re.split(r"\s*,\s*", call.headers.get("if-none-match", "")):
        return Answer(b"", 304, headers={"ETag": etag})
    result = encode_header(without_tag(call.view.describe(file)))
    headers = {"Dropbox-API-Result": result, "ETag": etag, "Accept-Ranges": "bytes"}
    asked, size = re.fullmatch(r"bytes=(\d*)-(\d*)", call.headers.get("range", "")), len(file.content)
    if asked is None or asked.groups() == ("", ""):
        return Answer(file.content, 200, BINARY, headers)
    first, end = _range(*asked.groups(), size=size)
    if first >= end:
        unsatisfied = {"Content-Range": f"bytes */{size}"}
        return answer_text("The range begins behind the end.", status=416, headers=unsatisfied)
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return Answer(file.content[first:end], 206, BINARY, headers)


def get_temporary_link(call: Call) -> Answer:
    file = _file(call.view.find(call.args["path"]))
    if not call.account.email_verified:
        raise conflict("email_not_verified")
    key = call.world.tokens.random()
    expires_at = call.world.clock.time() + TEMPORARY_LINK_S
    call.world.temporary_links[key] = TemporaryLink(file.content, file.name, expires_at)
    link = f"{call.world.public_url}/apitl/1/{key}"
    return answer_json({"metadata": without_tag(call.view.describe(file)), "link": link})


def _file(node: Node) -> File:
    """Raises: UnionError: it is a folder."""
    if not isinstance(node, File):
        raise conflict("path", "not_file")
    return node


def _range(first: str, last: str, *, size: int) -> tuple[int, int]:
    """Where the range begins, and where it has ended; `-5` is the last five bytes."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1 if last else size, size)


ROUTES = (
    Route(
        "files/download",
        download,
        {"path": args.string(args.READ_PATH), "rev": args.string(r"[0-9a-f]{9,}", default=None)},
        "files.content.read",
        "download",
    ),
    Route("files/get_temporary_link", get_temporary_link, {"path": args.string(args.READ_PATH)}, "files.content.read"),
)
