"""One caller's sight of the trees: path roots, mounts, and the metadata of what is found."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropbox_standin.names import Names, fold, split
from dropbox_standin.sights import CLOSED, FULL, NO_ACCESS, NONE, OPEN, TRAVERSE_ONLY
from dropbox_standin.tree import File, Folder, Namespace, Node
from dropbox_standin.wire import BadRequest, UnionError, conflict, path_root_error, tagged, timestamp

if TYPE_CHECKING:
    from dropbox_standin.accounts import Account

LONGEST_COMPONENT = 255


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: to a node, or to where one could be made."""

    namespace: Namespace
    parts: tuple[str, ...]
    node: Node | None

    @property
    def is_root(self) -> bool:
        return not self.parts and self.node is not None and self.node.parent is None


@dataclass(frozen=True, slots=True)
class Above:
    """What the children of one folder have in common.

    Attributes:
        path: of the folder; None if it has none here.
        path_lower: likewise.
        shared_in: the namespace that they lie in, if that is shared.
    """

    path: str | None
    path_lower: str
    shared_in: str | None

    def paths_of(self, node: Node) -> dict[str, str]:
        if self.path is None:
            return {}
        return {"path_lower": f"{self.path_lower}/{fold(node.name)}", "path_display": f"{self.path}/{node.name}"}


@dataclass(frozen=True, slots=True)
class View:
    """What an account sees when its paths start at a namespace.

    Attributes:
        top: the team folder at which they start, if it is no namespace's root.
    """

    account: Account
    base: Namespace
    top: Folder | None = None

    @property
    def start(self) -> Folder:
        """The folder whose path is empty."""
        return self.top or self.base.root

    @property
    def shows_home_as_folder(self) -> bool:
        """Under a team's root the member's own home is a folder with the member's name."""
        return self.account.team is not None and self.base is self.account.root and self.top is None

    def locate(self, path: str, *, outer: str = "path") -> Place:
        """Follow a path, `id:…`, `rev:…` or `ns:…`.

        Raises:
            UnionError: the path is malformed; `outer` is the tag the route wraps lookups in.
        """
        if path.startswith("id:"):
            return self._locate_id(path)
        if path.startswith("rev:"):
            return self._locate_rev(path.removeprefix("rev:"))
        if path.startswith("ns:"):
            number, _, rest = path.removeprefix("ns:").partition("/")
            space, above = self._namespace(number, outer=outer)
            return self._locate_in(space, (*above, *split(rest)))
        _check(path, outer=outer)
        parts = split(path)
        if self.shows_home_as_folder and parts and fold(parts[0]) == fold(self.account.display_name):
            return self._locate_in(self.account.home, parts[1:])
        return self._locate_in(self.base, (*self.start.names(), *parts))

    def find(self, path: str, *, outer: str = "path") -> Node:
        """The node at a path.

        Raises:
            UnionError: there is none, or the path is malformed.
        """
        node = self.locate(path, outer=outer).node
        if node is None:
            raise conflict(outer, "not_found")
        return node

    def sight(self, node: Node) -> str:
        """How much of a node the account may see: one of `sights.SIGHTS`."""
        return self.account.sights.of(node)

    def sees(self, node: Node) -> bool:
        """Whether it is there for this account, be it as a name only."""
        return self.sight(node) != NONE

    def may_open(self, folder: Node) -> bool:
        return self.sight(folder) not in CLOSED

    def may_write(self, place: Place) -> bool:
        """Whether something may be put at a place: what is above it, as far as it is there, may be changed."""
        if place.namespace is self.account.root and not self.account.may_shape_top and _is_at_top(place):
            return False
        return all(self.sight(node) == FULL for node in _nodes_down_to(place))

    def sees_all_above(self, place: Place) -> bool:
        """Whether what is above a place, as far as it is there, is seen as a whole."""
        return all(self.sight(node) in OPEN for node in _nodes_down_to(place))

    def is_team_folder(self, node: Node) -> bool:
        return self.base.shared_folder_of(node) is node

    def namespace_of(self, node: Node) -> Namespace:
        root = node.root()
        return next(space for space in self.account.namespaces if space.root is root)

    def prefix(self, namespace: Namespace) -> tuple[str, ...]:
        """The names above a namespace's root, as seen from here."""
        mounted = self.shows_home_as_folder and namespace is self.account.home
        return (self.account.display_name,) if mounted else ()

    def names(self, node: Node) -> Names:
        return self._from_here(self.namespace_of(node), node.names())

    def reaches(self, node: Node) -> bool:
        """Whether a node has a path here: what lies beside the folder at which paths start has none."""
        return self.top is None or self.top in node.lineage()

    def describe(self, node: Node) -> dict[str, Any]:
        """The metadata of a node, with its `.tag`."""
        return self.describe_all([node])[0]

    def describe_all(self, nodes: list[Node]) -> list[dict[str, Any]]:
        """The metadata of many nodes; what children of one folder share is worked out once."""
        known: dict[Node, Above] = {}
        entries = []
        for node in nodes:
            if node.parent is None:
                entries.append(self._describe_mount(node))
                continue
            if node.parent not in known:
                known[node.parent] = self._inside(node.parent)
            entries.append(_describe(node, self.sight(node), known[node.parent], self._shared_id(node)))
        return entries

    def describe_deleted(self, namespace: Namespace, spelled: Names) -> dict[str, Any]:
        names = self._from_here(namespace, spelled)
        path = "/" + "/".join(names)
        return {".tag": "deleted", "name": names[-1], "path_lower": lower(path), "path_display": path}

    def _from_here(self, namespace: Namespace, names: Names) -> Names:
        return (*self.prefix(namespace), *names[len(self.start.names()) if self.top else 0 :])

    def _inside(self, folder: Folder) -> Above:
        space = self.namespace_of(folder)
        shared = space.shared_folder_of(folder)
        shared_in = space.shared_id(shared) if shared else space.id
        path = "".join(f"/{name}" for name in self.names(folder)) if self.reaches(folder) else None
        return Above(path, lower(path or ""), shared_in if space is not self.account.home else None)

    def _describe_mount(self, node: Node) -> dict[str, Any]:
        name = self.account.display_name
        paths = {"path_lower": lower(f"/{name}"), "path_display": f"/{name}"}
        sharing = {
            "read_only": False,
            "shared_folder_id": self.account.home.id,
            "traverse_only": False,
            "no_access": False,
        }
        entry = {".tag": "folder", "name": name, **paths, "id": node.id}
        return {**entry, "shared_folder_id": self.account.home.id, "sharing_info": sharing}

    def _shared_id(self, node: Node) -> str | None:
        """The namespace id of a team folder; None for all else."""
        space = self.account.root
        is_one = isinstance(node, Folder) and node.parent is space.root and space.has_team_folders
        return space.shared_id(node) if isinstance(node, Folder) and is_one else None

    def _namespace(self, number: str, *, outer: str) -> tuple[Namespace, Names]:
        for space in self.account.namespaces:
            if space.id == number:
                return space, ()
            if (folder := space.shared_folder(number)) is not None:
                return space, folder.names()
        raise conflict(outer, "not_found")

    def _locate_in(self, namespace: Namespace, parts: tuple[str, ...]) -> Place:
        return Place(namespace, parts, self._seen(namespace.find(parts)))

    def _seen(self, node: Node | None) -> Node | None:
        return node if node is not None and self.sees(node) else None

    def _locate_id(self, path: str) -> Place:
        identity, _, rest = path.partition("/")
        for space in self.account.namespaces:
            if (node := space.by_id.get(identity)) is not None:
                parts = split(rest)
                found = space.find(parts, start=node) if isinstance(node, Folder) else None
                return Place(space, (*node.names(), *parts), self._seen(found if parts else node))
        return Place(self.base, (identity,), None)

    def _locate_rev(self, rev: str) -> Place:
        for space in self.account.namespaces:
            if (file := space.by_rev.get(rev)) is not None:
                return Place(space, file.names(), self._seen(file))
        return Place(self.base, (rev,), None)


def view_for(account: Account, header: str | None) -> View:
    """The view that a `Dropbox-API-Path-Root` header asks for; without one, the account's home.

    Raises:
        BadRequest: the header is not what the specification says.
        UnionError: the root is not the caller's (422), with the caller's real root where the service tells it.
    """
    if header is None:
        return View(account, account.home)
    asked = _decode(header)
    match asked:
        case {".tag": "home"}:
            return View(account, account.home)
        case {".tag": "root", "root": str(number)}:
            if number != account.root.id:
                raise path_root_error({".tag": "invalid_root", "invalid_root": account.root_info()})
            return View(account, account.root)
        case {".tag": "namespace_id", "namespace_id": str(number)}:
            for space in account.namespaces:
                if space.id == number:
                    return View(account, space)
                view = View(account, space, space.shared_folder(number))
                if view.top is not None and view.may_open(view.top):
                    return view
            raise path_root_error(tagged("no_permission"))
    raise BadRequest('HTTP header "Dropbox-API-Path-Root": expected a union PathRoot')


def _nodes_down_to(place: Place) -> list[Node]:
    found = (place.namespace.find(place.parts[:depth]) for depth in range(len(place.parts) + 1))
    return [node for node in found if node is not None]


def _is_at_top(place: Place) -> bool:
    return len(place.parts) < 2 or place.namespace.find(place.parts[:1]) is None  # noqa: PLR2004 - one name is at the top


def lower(path: str) -> str:
    """A display path in the lower case that `path_lower` shows."""
    return "/".join(fold(part) for part in path.split("/"))


def without_tag(metadata: dict[str, Any]) -> dict[str, Any]:
    """For routes whose result is a struct and no union."""
    return {name: value for name, value in metadata.items() if name != ".tag"}


def _decode(header: str) -> Any:
    try:
        return json.loads(header)
    except ValueError:
        raise BadRequest('HTTP header "Dropbox-API-Path-Root": could not decode input as JSON') from None


def _check(path: str, *, outer: str) -> None:
    parts = split(path)
    too_long = any(len(part) > LONGEST_COMPONENT for part in parts)
    if path.endswith("/") or too_long or any(part in {".", ".."} for part in parts) or re.search(r"[\x00\\]", path):
        raise UnionError(tagged(outer, "malformed_path"))


def _describe(node: Node, sight: str, above: Above, shared_id: str | None) -> dict[str, Any]:
    paths = above.paths_of(node)
    sharing: dict[str, Any] = {"read_only": sight != FULL}
    if isinstance(node, File):
        entry = _describe_file(node, paths)
    else:
        entry = {".tag": "folder", "name": node.name, **paths, "id": node.id}
        sharing.update(traverse_only=sight == TRAVERSE_ONLY, no_access=sight == NO_ACCESS)
    if shared_id is not None:
        entry["shared_folder_id"] = sharing["shared_folder_id"] = shared_id
    elif above.shared_in is not None:
        sharing["parent_shared_folder_id"] = above.shared_in
    else:
        return entry
    entry["sharing_info"] = sharing
    return entry


def _describe_file(file: File, paths: dict[str, str]) -> dict[str, Any]:
    return {
        ".tag": "file",
        "name": file.name,
        **paths,
        "id": file.id,
        "client_modified": timestamp(file.client_modified),
        "server_modified": timestamp(file.server_modified),
        "rev": file.rev,
        "size": len(file.content),
        "is_downloadable": True,
        "content_hash": file.content_hash,
    }
