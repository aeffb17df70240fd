"""Namespaces: case-insensitive, case-preserving trees with a log of their changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from random import Random

    from dropbox_standin.clock import Clock

BLOCK_BYTES = 4 * 1024 * 1024


def fold(name: str) -> str:
    """The key of a name: what Dropbox compares.

    Lower case by simple mapping, one character to one character, without the trailing spaces that Dropbox drops.
    """
    if name.isascii():
        return name.lower().rstrip(" ") or name
    return "".join(low if len(low := char.lower()) == 1 else char for char in name).rstrip(" ") or name


def fold_path(path: str) -> str:
    return "/".join(fold(part) for part in path.split("/"))


def split(path: str) -> tuple[str, ...]:
    """The components of a path; doubled and trailing slashes do not count."""
    return tuple(part for part in path.split("/") if part)


def content_hash(content: bytes) -> str:
    """Dropbox's content hash: SHA-256 over the SHA-256 of each block of 4 MiB."""
    blocks = (content[at : at + BLOCK_BYTES] for at in range(0, len(content), BLOCK_BYTES))
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


@dataclass(eq=False)
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

    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.lineage())

    def root(self) -> Node:
        node: Node = self
        while node.parent is not None:
            node = node.parent
        return node


@dataclass(eq=False)
class Folder(Node):
    children: dict[str, Node] = field(default_factory=dict)

    def sorted_children(self) -> list[Node]:
        return [self.children[key] for key in sorted(self.children)]

    def walk(self) -> Iterator[Node]:
        """Every node beneath, parents first, in the order of the keys."""
        for child in self.sorted_children():
            yield child
            if isinstance(child, Folder):
                yield from child.walk()


@dataclass(eq=False)
class File(Node):
    content: bytes
    rev: str
    client_modified: datetime
    server_modified: datetime

    @cached_property
    def content_hash(self) -> str:
        return content_hash(self.content)


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened at a path. What is there now is looked up when a cursor asks."""

    seq: int
    key: tuple[str, ...]
    names: tuple[str, ...]


class Occupied(Exception):
    """A node stands where another should go."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.name)
        self.node = node


class Namespace:
    """One tree with its own change log."""

    def __init__(self, *, namespace_id: str, clock: Clock, rng: Random) -> None:
        self.id = namespace_id
        self.changes: list[Change] = []
        self.by_id: dict[str, Node] = {}
        self.by_rev: dict[str, File] = {}
        self._clock = clock
        self._rng = rng
        self.root = Folder(self._new_id(), "", None)
        self.by_id[self.root.id] = self.root

    @property
    def seq(self) -> int:
        return len(self.changes)

    def find(self, parts: tuple[str, ...], *, start: Folder | None = None) -> Node | None:
        """The node at these components, or None."""
        node: Node = start or self.root
        for part in parts:
            if not isinstance(node, Folder) or (child := node.children.get(fold(part))) is None:
                return None
            node = child
        return node

    def put_folder(self, parts: tuple[str, ...]) -> Folder:
        """Make a folder and what is missing above it; one that is there already stays.

        Raises:
            Occupied: a file stands in the way.
        """
        folder = self.root
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

    def remove(self, node: Node) -> None:
        """Take a node and all beneath it out of the tree."""
        parent = self._detach(node)
        for gone in (node, *(node.walk() if isinstance(node, Folder) else ())):
            self.by_id.pop(gone.id, None)
        self._log(parent, node.name)

    def move(self, node: Node, *, parent: Folder, name: str) -> None:
        """Put a node elsewhere in this tree; its id goes with it."""
        self._log(self._detach(node), node.name)
        node.parent, node.name = parent, name
        self._add(parent, node)
        for beneath in node.walk() if isinstance(node, Folder) else ():
            self._log_node(beneath)

    def touch(self, node: Node) -> None:
        """Let cursors tell of a node and all beneath it again: who may see it has changed."""
        for each in (node, *(node.walk() if isinstance(node, Folder) else ())):
            self._log_node(each)

    def _detach(self, node: Node) -> Folder:
        parent = node.parent
        if parent is None:
            raise ValueError("the root of a namespace stays where it is")
        del parent.children[fold(node.name)]
        return parent

    def _add(self, parent: Folder, node: Node) -> None:
        parent.children[fold(node.name)] = node
        self.by_id[node.id] = node
        self._log_node(node)

    def _log_node(self, node: Node) -> None:
        names = node.names()
        self.changes.append(Change(self.seq, tuple(map(fold, names)), names))

    def _log(self, parent: Folder, name: str) -> None:
        names = (*parent.names(), name)
        self.changes.append(Change(self.seq, tuple(map(fold, names)), names))

    def _new_id(self) -> str:
        return f"id:{self._rng.getrandbits(128):032x}"[:25]

    def _new_rev(self) -> str:
        return f"{self._rng.getrandbits(24):06x}{len(self.by_rev) + 1:010x}"
