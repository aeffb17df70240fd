"""A place that tells what happens in it, by a cursor, as a cloud does: a tree in memory with a journal."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from storage.errors import RootNotThere
from storage.index.entries import Anomaly, CursorPage, CursorReset, Entry, Gone
from storage.models import StorageRoot

KIND = "told"
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A file or a directory."""

    name: str
    is_directory: bool
    number: int
    size: int = 0
    revision: int = 0
    is_partial: bool = False


@dataclass
class Place:
    """What lies there, by path in small letters; what is told of it, in pages.

    Attributes:
        page: so many entries at most make a page.
        told_at: called before each page that is told.
        known_as: what the place is known by; empty: it is not there.
        forgotten: no cursor that it gave before is known any more, so often.
        asked: the cursors by which it was asked.
    """

    page: int = 5
    nodes: dict[str, Node] = field(default_factory=dict)
    journal: list[Entry | Gone | Anomaly] = field(default_factory=list)
    known_as: str = "id:place"
    forgotten: int = 0
    asked: list[str] = field(default_factory=list)
    told_at: Any = None
    order: random.Random = field(default_factory=lambda: random.Random(1))
    _numbers: Any = field(default_factory=lambda: count(1))
    _listings: dict[str, list[Entry | Gone | Anomaly]] = field(default_factory=dict)

    # --- What happens there -----------------------------------------------------------------------------------------

    def put(self, *paths: str, size: int = 4) -> None:
        """Write files, or write over them."""
        for path in paths:
            self._make_way(path)
            key, was = path.lower(), self.nodes.get(path.lower())
            number = was.number if was and not was.is_directory else next(self._numbers)
            self._take_out(key, is_replaced=True)
            self._set(path, Node(name=path, is_directory=False, number=number, size=size, revision=next(self._numbers)))

    def make(self, *paths: str, **said: Any) -> None:
        """Make directories; one that is there stays, with what is in it."""
        for path in paths:
            self._make_way(path)
            was = self.nodes.get(path.lower())
            if was and not was.is_directory:
                self._take_out(path.lower(), is_replaced=True)
            number = was.number if was and was.is_directory else next(self._numbers)
            self._set(path, Node(name=path, is_directory=True, number=number, **said))

    def remove(self, *paths: str) -> None:
        for path in paths:
            self._take_out(path.lower(), is_replaced=False)

    def move(self, old: str, new: str) -> None:
        """With all that is below it, whose ids stay."""
        moved = {path: self.nodes[path] for path in self._below(old.lower())}
        self.remove(old)
        self._make_way(new)
        for path, node in sorted(moved.items()):
            shown = new + path[len(old) :] if path != old.lower() else new
            self._set(shown, replace(node, name=shown if path == old.lower() else node.name))

    def entry(self, path: str) -> Entry:
        node = self.nodes[path]
        name = node.name.rpartition("/")[2]
        words = [f"id:{node.number}", "" if node.is_directory else f"rev:{node.revision}"]
        etag = " ".join(filter(None, [*words, "partial" if node.is_partial else ""]))
        modified_ns = 0 if node.is_directory else node.revision * SECOND_NS
        return Entry(f"{path}/" if node.is_directory else path, node.size, modified_ns, etag, name)

    def oracle(self) -> dict[str, tuple[Any, ...]]:
        """Key to all that a row is to say of it."""
        return {entry.key: entry[1:] for entry in map(self.entry, self.nodes)}

    # --- What is told -----------------------------------------------------------------------------------------------

    def marker(self) -> str:
        if not self.known_as:
            raise RootNotThere("The folder is not there.")
        return self.known_as

    def pages(self, cursor: str) -> Iterator[CursorPage]:
        """From wherever one has come; a cursor says how much of a listing and of the journal was told."""
        has_more = True
        while has_more:
            if self.told_at:
                self.told_at(cursor)
            self.asked.append(cursor)
            if cursor and self.forgotten:
                self.forgotten -= 1
                raise CursorReset
            page = self._page(cursor)
            cursor, has_more = page.cursor, page.has_more
            yield page

    def _page(self, cursor: str) -> CursorPage:
        listing, listed, told = self._at(cursor)
        left = self._listings[listing][listed : listed + self.page]
        listed += len(left)
        if listed == len(self._listings[listing]):
            more = self.journal[told : told + self.page - len(left)]
            left, told = [*left, *more], told + len(more)
        has_more = listed < len(self._listings[listing]) or told < len(self.journal)
        return CursorPage(left, f"{listing} {listed} {told}", has_more)

    def _at(self, cursor: str) -> tuple[str, int, int]:
        if not cursor:
            listing = f"listing-{len(self._listings)}"
            entries: list[Any] = [self.entry(path) for path in self.nodes]
            self.order.shuffle(entries)
            self._listings[listing] = entries
            return listing, 0, len(self.journal)
        listing, listed, told = cursor.split()
        return listing, int(listed), int(told)

    # --- How ---------------------------------------------------------------------------------------------------------

    def _make_way(self, path: str) -> None:
        above = path.rpartition("/")[0]
        if above and not (above.lower() in self.nodes and self.nodes[above.lower()].is_directory):
            self.make(above)

    def _set(self, path: str, node: Node) -> None:
        self.nodes[path.lower()] = node
        self.journal.append(self.entry(path.lower()))

    def _below(self, path: str) -> list[str]:
        return [each for each in self.nodes if each == path or each.startswith(f"{path}/")]

    def _take_out(self, path: str, *, is_replaced: bool) -> None:
        """What is replaced is not told to be gone: the word about what replaces it says so."""
        below = self._below(path)
        for each in below:
            del self.nodes[each]
        if below and not is_replaced:
            self.journal.append(Gone(path))


def root_of(name: str = "archives") -> StorageRoot:
    """A root that an app has declared."""
    return StorageRoot.objects.create(name=name, declaration={"kind": KIND, "title": f"Archives of {name}"})
