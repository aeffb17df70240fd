"""`files/get_thumbnail_v2`: nothing is drawn here, and each answer says why in the specification's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropbox_standin import args, sharing
from dropbox_standin.call import Call, Route
from dropbox_standin.tree import File
from dropbox_standin.wire import UnionError, conflict, tagged

if TYPE_CHECKING:
    from typing import NoReturn

    from dropbox_standin.tree import Node

EXTENSIONS = frozenset({"jpg", "jpeg", "png", "tiff", "tif", "gif", "webp", "ppm", "bmp"})
SIZES = (
    "w32h32 w64h64 w128h128 w256h256 w480h320 w640h480 w960h640 w1024h768 w2048h1536 w3200h2400".split()  # noqa: SIM905
)


def get_thumbnail(call: Call) -> NoReturn:
    node = _resource(call)
    if not isinstance(node, File):
        raise conflict("path", "not_file")
    if node.name.rpartition(".")[2].lower() not in EXTENSIONS:
        raise conflict("unsupported_extension")
    raise conflict("conversion_error")


def _resource(call: Call) -> Node:
    """What the path or the link leads to.

    Raises:
        UnionError: it leads nowhere, or not for this caller.
    """
    resource = call.args["resource"]
    if args.tag_of(resource) == "path":
        return call.view.find(resource["path"])
    try:
        link = sharing.follow(call, resource["url"])
        return sharing.reached(call, link, path=resource.get("path"), password=resource.get("password"))
    except UnionError as error:
        raise conflict("access_denied" if error.error == tagged("shared_link_access_denied") else "not_found") from None


def _check_resource(value: object) -> str | None:
    """A union whose members carry something: a path, or a link's address."""
    if not isinstance(value, dict) or value.get(".tag") not in {"path", "link"}:
        return "expected a union PathOrLink"
    if value[".tag"] == "path":
        return args.string(args.READ_PATH).check(value.get("path"))
    return args.string().check(value.get("url"))


ROUTES = (
    Route(
        "files/get_thumbnail_v2",
        get_thumbnail,
        {
            "resource": args.Field(_check_resource),
            "format": args.union("jpeg", "png", "webp", default="jpeg"),
            "size": args.union(*SIZES, default="w64h64"),
            "mode": args.union("strict", "bestfit", "fitone_bestfit", "original", default="strict"),
            "preserve_transparency": args.boolean(default=False),
            "exclude_media_info": args.boolean(default=None),
        },
        "files.content.read",
        "download",
    ),
)
