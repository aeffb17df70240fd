"""What has changed between two marks in a change log, in the order of the paths."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from dropbox_standin.tree import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dropbox_standin.names import Key, Names
    from dropbox_standin.tree import Change, Namespace, Node, Onlooker

type Place = tuple[Key, Names]


@dataclass(frozen=True, slots=True)
class Scope:
    """The paths that a listing covers.

    Attributes:
        base: the key of the folder that is listed.
        recursive: all that is beneath it; else what lies in it.
        itself: the folder as well.
        enters: whether what lies in a folder is told.
        sees: whether a node is there for the account.
    """

    base: Key
    recursive: bool
    itself: bool
    enters: Callable[[Folder], bool]
    sees: Callable[[Node], bool]

    def covers(self, key: Key) -> bool:
        if key[: len(self.base)] != self.base:
            return False
        if len(key) == len(self.base):
            return self.itself
        return self.recursive or len(key) == len(self.base) + 1

    def top(self, key: Key) -> Key | None:
        """Where to begin when all beneath a path is concerned: the path or the base; None if neither is in the other."""
        if key == self.base[: len(key)]:
            return self.base
        return key if self.recursive and key[: len(self.base)] == self.base else None


class Delta:
    """The paths at which something has happened, each once.

    They come in the order of their keys, so that a page can begin behind any of them without the delta being kept, and
    so that what is above comes first. A client that keeps what is beneath a folder, and drops what is beneath a file
    or a removed path, ends with the same tree in every order, since each path that is no longer there is told.
    """

    def __init__(self, changes: Iterable[Change], *, onlooker: Onlooker) -> None:
        told: dict[Key, Names] = {}
        self._whole: set[Key] = set()
        self._gone: list[tuple[Key, Names, Folder]] = []
        for change in changes:
            if onlooker in change.hidden_from:
                continue
            key = change.key
            told[key] = change.names
            if change.whole:
                self._whole.add(key)
            if change.gone is not None:
                self._gone.append((key, change.names, change.gone))
        self._keys = sorted(told)
        self._names = told
        self._gone.sort(key=itemgetter(0))

    def places(
        self, space: Namespace, scope: Scope, *, after: Key | None, all_of: Names | None = None
    ) -> Iterator[Place]:
        """The paths in a scope behind one of them, with how their names are, or were last, spelled.

        Args:
            all_of: the folder that the scope is of, if all in it counts as changed.
        """
        merged = heapq.merge(
            _itself(scope, after, all_of),
            self._single(scope, after),
            self._of_wholes(space, scope, after, {scope.base} if all_of else self._whole),
            self._of_gone(scope, after),
            key=itemgetter(0),
        )
        last = after
        for key, names in merged:
            if key != last:
                last = key
                yield key, names

    def _single(self, scope: Scope, after: Key | None) -> Iterator[Place]:
        at = bisect_left(self._keys, scope.base)
        if after is not None:
            at = max(at, bisect_right(self._keys, after))
        for position in range(at, len(self._keys)):
            key = self._keys[position]
            if key[: len(scope.base)] != scope.base:
                return
            if scope.covers(key):
                yield key, self._names[key]

    def _of_wholes(self, space: Namespace, scope: Scope, after: Key | None, whole: set[Key]) -> Iterator[Place]:
        for top in _outermost(top for key in whole if (top := scope.top(key)) is not None):
            folder = space.find(top)
            if isinstance(folder, Folder) and scope.sees(folder) and scope.enters(folder):
                yield from _beneath(folder, top, folder.names(), scope, after, live=True)

    def _of_gone(self, scope: Scope, after: Key | None) -> Iterator[Place]:
        """Those that were taken away from the same place may have held the same names."""
        found: dict[Key, list[tuple[Key, Names, Folder]]] = {}
        outer: Key | None = None
        for key, names, folder in self._gone:
            top = scope.top(key)
            inner = None if top is None else _descend(folder, top[len(key) :])
            if top is None or inner is None:
                continue
            outer = top if outer is None or top[: len(outer)] != outer else outer
            spelled = inner.names()
            found.setdefault(outer, []).append((top, (*names, *spelled[len(spelled) + len(key) - len(top) :]), inner))
        for group in found.values():
            walks = [_beneath(folder, top, names, scope, after, live=False) for top, names, folder in group]
            yield from heapq.merge(*walks, key=itemgetter(0))


def _itself(scope: Scope, after: Key | None, names: Names | None) -> Iterator[Place]:
    if names is not None and scope.itself and (after is None or after < scope.base):
        yield scope.base, names


def _beneath(folder: Folder, top: Key, names: Names, scope: Scope, after: Key | None, *, live: bool) -> Iterator[Place]:
    is_within = after is not None and after[: len(top)] == top
    if after is not None and after > top and not is_within:
        return  # all of it comes before
    start = after[len(top) :] if after is not None and is_within else ()
    spelled: dict[Key, Names] = {(): names}
    deep = scope.recursive

    def enters(inner: Folder) -> bool:
        return deep and (not live or scope.enters(inner))

    for key, node in folder.walk_after(start, enters=enters):
        if live and not scope.sees(node):
            continue
        above = key[:-1]
        if above not in spelled:
            spelled[above] = (*names, *node.names()[-len(key) : -1])
        yield (*top, *key), (*spelled[above], node.name)


def _descend(folder: Folder, key: Key) -> Folder | None:
    node: Node | None = folder
    for name in key:
        node = node.children.get(name) if isinstance(node, Folder) else None
    return node if isinstance(node, Folder) else None


def _outermost(keys: Iterable[Key]) -> list[Key]:
    """Without those that lie in another of them; in their order."""
    found: list[Key] = []
    for key in sorted(set(keys)):
        if not found or key[: len(found[-1])] != found[-1]:
            found.append(key)
    return found
