"""Namespaces: case-insensitive, case-preserving trees with a log of their changes."""

from __future__ import annotations

import contextlib
import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dropbox_standin.names import Key, Names, fold, fold_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from random import Random

    from dropbox_standin.clock import Clock

BLOCK_BYTES = 4 * 1024 * 1024


def content_hash(content: bytes) -> str:
    """Dropbox's content hash: SHA-256 over the SHA-256 of each block of 4 MiB."""
    blocks = (content[at : at + BLOCK_BYTES] for at in range(0, len(content), BLOCK_BYTES))
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


@dataclass(eq=False, slots=True)
class Node:
    """What has a name and a place: a file or a folder."""

    id: str
    name: str
    parent: Folder | None

    def lineage(self) -> tuple[Node, ...]:
        """From the namespace's root (left out) down to this node."""
        nodes: list[Node] = []
        node: Node = self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return tuple(reversed(nodes))

    def names(self) -> Names:
        return tuple(node.name for node in self.lineage())

    def root(self) -> Node:
        node: Node = self
        while node.parent is not None:
            node = node.parent
        return node


@dataclass(eq=False, slots=True)
class Folder(Node):
    children: dict[str, Node] = field(default_factory=dict)
    _order: list[str] | None = None

    def add(self, node: Node) -> None:
        key = fold(node.name)
        if key not in self.children:
            self._order = None
        self.children[key] = node

    def drop(self, node: Node) -> None:
        del self.children[fold(node.name)]
        self._order = None

    def order(self) -> list[str]:
        """The keys of the children, sorted; kept until a name comes or goes."""
        if self._order is None:
            self._order = sorted(self.children)
        return self._order

    def sorted_children(self) -> list[Node]:
        return [self.children[key] for key in self.order()]

    def walk(self) -> Iterator[Node]:
        """Every node beneath, parents first, in the order of the keys."""
        return (node for _, node in self.walk_after(()))

    def walk_after(self, after: Key, *, enters: Callable[[Folder], bool] | None = None) -> Iterator[tuple[Key, Node]]:
        """The nodes beneath whose keys, counted from here, come after one; in their order, which has parents first.

        Args:
            after: may be the key of what is no longer there; the empty one is before all.
            enters: whether to go into a folder; into all if left out.
        """
        levels = [self._level((), after)]
        for name in after:
            last = levels[-1]
            child = last.folder.children.get(name)
            if not isinstance(child, Folder) or (enters is not None and not enters(child)):
                break
            levels.append(child._level((*last.key, name), after[len(levels) :]))  # noqa: SLF001 - of the same class
        while levels:
            level = levels[-1]
            if level.at == len(level.order):
                levels.pop()
                continue
            name = level.order[level.at]
            level.at += 1
            child, key = level.folder.children[name], (*level.key, name)
            yield key, child
            if isinstance(child, Folder) and (enters is None or enters(child)):
                levels.append(child._level(key, ()))  # noqa: SLF001 - of the same class

    def _level(self, key: Key, after: Key) -> _Level:
        order = self.order()
        return _Level(self, key, order, bisect_right(order, after[0]) if after else 0)


@dataclass(slots=True)
class _Level:
    """How far a walk has come in one folder."""

    folder: Folder
    key: Key
    order: list[str]
    at: int


@dataclass(eq=False, slots=True)
class File(Node):
    content: bytes
    rev: str
    client_modified: datetime
    server_modified: datetime
    _hash: str = ""

    @property
    def content_hash(self) -> str:
        if not self._hash:
            self._hash = content_hash(self.content)
        return self._hash


class Onlooker(Protocol):
    """An account that does not see all of a namespace."""

    def hides(self, node: Node) -> bool:
        """Whether a node is not there for this account."""

    def notice(self, nodes: Iterable[Node]) -> None:
        """Note that how these are seen has changed, though nothing was done to themselves."""

    def forget(self, node: Node) -> None:
        """A node is gone, with all beneath it."""

    def sight_of(self, node: Node) -> str:
        """How much of a node this account sees."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened at a path. What is there now is looked up when a cursor asks.

    Attributes:
        hidden_from: whom it does not concern, since they did not see what was there before and do not see what came.
        whole: it concerns all that is now beneath the path, too.
        gone: the folder that was taken away from the path: it concerns all that lies in it, too.
    """

    names: Names
    hidden_from: frozenset[Onlooker] = frozenset()
    whole: bool = False
    gone: Folder | None = None

    @property
    def key(self) -> Key:
        return fold_all(self.names)


class Occupied(Exception):
    """A node stands where another should go."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.name)
        self.node = node


class Namespace:
    """One tree with its own change log.

    Attributes:
        onlookers: those who do not see all of it.
        has_team_folders: each folder at its top is one that is shared by itself, as in a team's space.
        taken: the keys of what is mounted at its top for one account each, so that nothing else can be there.
    """

    def __init__(self, *, namespace_id: str, clock: Clock, rng: Random) -> None:
        self.id = namespace_id
        self.changes: list[Change] = []
        self.by_id: dict[str, Node] = {}
        self.by_rev: dict[str, File] = {}
        self.onlookers: list[Onlooker] = []
        self.has_team_folders = False
        self.taken: dict[str, Folder] = {}
        self._first_id = namespace_id
        self._shared_ids: dict[Folder, str] = {}
        self._clock = clock
        self._rng = rng
        self.root = Folder(self._new_id(), "", None)
        self.by_id[self.root.id] = self.root

    def find(self, parts: tuple[str, ...], *, start: Folder | None = None) -> Node | None:
        """The node at these components, or None."""
        node: Node = start or self.root
        for part in parts:
            if not isinstance(node, Folder) or (child := node.children.get(fold(part))) is None:
                return None
            node = child
        return node

    def shared_folder_of(self, node: Node) -> Folder | None:
        """The team folder that a node lies in, or is."""
        top = next(iter(node.lineage()), None) if self.has_team_folders else None
        return top if isinstance(top, Folder) else None

    def shared_id(self, folder: Folder) -> str:
        """The namespace id of a team folder."""
        return self._shared_ids.setdefault(folder, f"{self._first_id}{len(self._shared_ids) + 1:04}")

    def shared_folder(self, number: str) -> Folder | None:
        """The team folder with this namespace id."""
        folders = self.root.sorted_children() if self.has_team_folders else []
        return next((one for one in folders if isinstance(one, Folder) and self.shared_id(one) == number), None)

    def put_folder(self, parts: tuple[str, ...]) -> Folder:
        """Make a folder and what is missing above it; one that is there already stays.

        Raises:
            Occupied: a file stands in the way.
        """
        folder = self.root
        self._check_top(parts)
        for part in parts:
            child = folder.children.get(fold(part))
            if child is None:
                child = Folder(self._new_id(), part, folder)
                self._add(folder, child)
            if not isinstance(child, Folder):
                raise Occupied(child)
            folder = child
        return folder

    def put_file(self, parts: tuple[str, ...], *, content: bytes, client_modified: datetime | None = None) -> File:
        """Write a file, over one that is there, making the folders above it.

        Raises:
            Occupied: a folder has this name, or a file stands where a folder is needed.
        """
        self._check_top(parts)
        parent = self.put_folder(parts[:-1])
        now = self._clock.now()
        old = parent.children.get(fold(parts[-1]))
        if isinstance(old, Folder):
            raise Occupied(old)
        file = File(
            id=old.id if old else self._new_id(),
            name=old.name if old else parts[-1],
            parent=parent,
            content=content,
            rev=self._new_rev(),
            client_modified=client_modified or now,
            server_modified=now,
        )
        self._add(parent, file)
        self.by_rev[file.rev] = file
        return file

    def put_crowded(self, parent: Folder, name: str, files: list[str], *, content: bytes) -> int:
        """Make a folder with files that all hold the same; returns how many nodes were made, none if it is there.

        They are in no log until `note_all_beneath` says so.
        """
        if fold(name) in parent.children:
            return 0
        folder, now, digest = Folder(self._new_id(), name, parent), self._clock.now(), content_hash(content)
        for each in files:
            file = File(self._new_id(), each, folder, content, self._new_rev(), now, now, digest)
            folder.children[fold(each)] = self.by_id[file.id] = self.by_rev[file.rev] = file
        parent.add(folder)
        self.by_id[folder.id] = folder
        return 1 + len(files)

    def note_all_beneath(self, folder: Folder) -> None:
        """Let cursors tell of a folder and of all that is in it."""
        self._log(folder, whole=True)

    def remove(self, node: Node) -> None:
        """Take a node and all beneath it out of the tree."""
        parent = _parent_of(node)
        with self._told_of_ways(parent):
            self._log_gone(node)
            parent.drop(node)
            for gone in (node, *(node.walk() if isinstance(node, Folder) else ())):
                self.by_id.pop(gone.id, None)
            for onlooker in self.onlookers:
                onlooker.forget(node)

    def move(self, node: Node, *, parent: Folder, name: str) -> None:
        """Put a node elsewhere in this tree; its id goes with it. A change of case alone is told to nobody."""
        old = _parent_of(node)
        if old is parent and fold(node.name) == fold(name):
            node.name = name
            return
        with self._told_of_ways(old, parent):
            for each in (node, *(node.walk() if isinstance(node, Folder) else ())):
                self._log(each)
            old.drop(node)
            node.parent, node.name = parent, name
            self._add(parent, node, whole=True)

    def deleted_at(self, parts: Names) -> Names | None:
        """The spelling of what was last at a path, or None if nothing ever was."""
        key = fold_all(parts)
        for change in reversed(self.changes):
            if change.key == key:
                return change.names
            if change.gone is not None and change.key == key[: len(change.names)]:
                found = self.find(parts[len(change.names) :], start=change.gone)
                if found is not None:
                    return (*change.names, *found.names()[-(len(parts) - len(change.names)) :])
        return None

    def _check_top(self, parts: Names) -> None:
        if parts and (taken := self.taken.get(fold(parts[0]))) is not None:
            raise Occupied(taken)

    def _add(self, parent: Folder, node: Node, *, whole: bool = False) -> None:
        parent.add(node)
        self.by_id[node.id] = node
        self._log(node, whole=whole)

    def _log(self, node: Node, *, whole: bool = False) -> None:
        self.changes.append(Change(node.names(), self._hidden_from(node), whole))

    def _log_gone(self, node: Node) -> None:
        """Before a node goes: while it can be said who sees what of it."""
        if not isinstance(node, Folder):
            self._log(node)
        elif not self.onlookers:
            self.changes.append(Change(node.names(), gone=node))
        else:
            for each in (node, *node.walk()):
                self._log(each)

    def _hidden_from(self, node: Node) -> frozenset[Onlooker]:
        return frozenset(one for one in self.onlookers if one.hides(node)) if self.onlookers else frozenset()

    @contextlib.contextmanager
    def _told_of_ways(self, *folders: Folder) -> Iterator[None]:
        """A folder may be seen only as the way to another: it comes and goes with that one."""
        ways = {node for folder in folders for node in folder.lineage()}
        before = [(one, {node: one.sight_of(node) for node in ways}) for one in self.onlookers]
        yield
        for one, sights in before:
            one.notice(node for node, sight in sights.items() if one.sight_of(node) != sight)

    def _new_id(self) -> str:
        return f"id:{self._rng.getrandbits(128):032x}"[:25]

    def _new_rev(self) -> str:
        return f"{self._rng.getrandbits(24):06x}{len(self.by_rev) + 1:010x}"


def _parent_of(node: Node) -> Folder:
    if node.parent is None:
        raise ValueError("the root of a namespace stays where it is")
    return node.parent
