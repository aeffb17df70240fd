"""Listings, page by page, and the deltas that follow them."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dropbox_standin.tree import Change, Folder, Namespace, Node, fold
from dropbox_standin.wire import BadRequest, conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropbox_standin.tokens import Tokens
    from dropbox_standin.views import View

KEPT = 100_000
SHAPE = re.compile(r"AA[0-9a-f]{64}")

type Item = tuple[Namespace, Node | Change]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a listing. It never changes, so that a repeated call gets the same page again.

    Attributes:
        items: what is still to be told, from position `at` on.
        seen: how far the change log of each namespace was read when `items` was made.
    """

    view: View
    folder: Folder
    path: str
    recursive: bool
    include_deleted: bool
    limit: int
    items: tuple[Item, ...]
    at: int
    seen: dict[str, int]
    empty_pages: int = 0


@dataclass
class Cursors:
    """The cursors handed out; the oldest are forgotten, which a client sees as `reset`."""

    tokens: Tokens
    kept: OrderedDict[str, Cursor] = field(default_factory=OrderedDict)

    def keep(self, cursor: Cursor) -> str:
        value = f"AA{self.tokens.random(64)}"
        self.kept[value] = cursor
        if len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        return value

    def get(self, value: str, *, account_id: str | None) -> Cursor:
        """The cursor's place.

        Raises:
            BadRequest: this never was a cursor.
            UnionError: `reset`: it is another account's, or forgotten.
        """
        if not SHAPE.fullmatch(value):
            raise BadRequest('request body: cursor: Invalid "cursor" parameter')
        cursor = self.kept.get(value)
        if cursor is None or account_id not in {None, cursor.view.account.account_id}:
            raise conflict("reset")
        return cursor

    def forget(self) -> None:
        """Let every cursor answer `reset`."""
        self.kept.clear()


def start(
    *,
    view: View,
    folder: Folder,
    path: str,
    recursive: bool,
    include_deleted: bool,
    limit: int,
    latest: bool = False,
    empty_pages: int = 0,
) -> Cursor:
    """The beginning of a listing, or with `latest` its end."""
    cursor = Cursor(
        view=view,
        folder=folder,
        path=path,
        recursive=recursive,
        include_deleted=include_deleted,
        limit=limit,
        items=(),
        at=0,
        seen={space.id: space.seq for space, _ in _spans(view, folder)},
        empty_pages=0 if latest else empty_pages,
    )
    return cursor if latest else replace(cursor, items=tuple(_contents(cursor)))


def page(cursor: Cursor) -> tuple[list[dict[str, Any]], Cursor, bool]:
    """The next entries, the cursor behind them, and whether more are waiting."""
    if cursor.empty_pages:
        return [], replace(cursor, empty_pages=cursor.empty_pages - 1), True
    if cursor.at >= len(cursor.items):
        cursor = _with_changes(cursor)
    end = cursor.at + cursor.limit
    entries = _describe(cursor.view, cursor.items[cursor.at : end])
    if end < len(cursor.items):
        return entries, replace(cursor, at=end), True
    return entries, replace(cursor, items=(), at=0), False  # what has been told need not be kept


def has_news(cursor: Cursor) -> bool:
    """Whether `/continue` would tell anything."""
    return cursor.at < len(cursor.items) or any(True for _ in _changes(cursor))


def _with_changes(cursor: Cursor) -> Cursor:
    if not _alive(cursor):
        raise conflict("path", "not_found")
    items = tuple(_changes(cursor))
    seen = {space.id: space.seq for space, _ in _spans(cursor.view, cursor.folder)}
    return replace(cursor, items=items, at=0, seen=seen)


def _alive(cursor: Cursor) -> bool:
    is_there = any(space.by_id.get(cursor.folder.id) is cursor.folder for space in cursor.view.account.namespaces)
    return is_there and cursor.view.may_open(cursor.folder)


def _spans(view: View, folder: Folder) -> Iterator[tuple[Namespace, Folder]]:
    """The namespaces that a listing covers: the folder's own, and the home that is mounted under a team's root."""
    yield view.namespace_of(folder), folder
    if folder.parent is None and folder is view.base.root and view.shows_home_as_folder:
        yield view.account.home, view.account.home.root


def _contents(cursor: Cursor) -> Iterator[Item]:
    for space, folder in _spans(cursor.view, cursor.folder):
        mounted = folder is not cursor.folder
        if mounted or (cursor.recursive and folder.parent is not None):
            yield space, folder
        if not mounted or cursor.recursive:
            nodes = folder.walk() if cursor.recursive else folder.sorted_children()
            yield from ((space, node) for node in nodes if cursor.view.sees(node))
    if cursor.include_deleted:
        nothing_seen = dict.fromkeys(cursor.seen, 0)
        yield from (item for item in _changes(replace(cursor, seen=nothing_seen)) if isinstance(item[1], Change))


def _changes(cursor: Cursor) -> Iterator[Item]:
    """What is at the places that have changed, each once, at its last change."""
    for space, folder in _spans(cursor.view, cursor.folder):
        if folder is not cursor.folder and not cursor.recursive:
            continue
        base = tuple(map(fold, folder.names()))
        last = {change.key: change for change in space.changes[cursor.seen.get(space.id, 0) :]}
        for change in sorted(last.values(), key=lambda change: change.seq):
            if _is_beneath(change.key, base, recursive=cursor.recursive):
                node = space.find(change.names)
                yield space, node if node is not None and cursor.view.sees(node) else change


def _is_beneath(key: tuple[str, ...], base: tuple[str, ...], *, recursive: bool) -> bool:
    if key[: len(base)] != base or key == base:
        return False
    return recursive or len(key) == len(base) + 1


def _describe(view: View, items: tuple[Item, ...]) -> list[dict[str, Any]]:
    live = [node for space, node in items if isinstance(node, Node) and _is_told(view, space, node)]
    described = iter(view.describe_all(live))
    entries = []
    for space, item in items:
        if isinstance(item, Change):
            entries.append(view.describe_deleted(space, item))
        elif _is_told(view, space, item):
            entries.append(next(described))
    return entries


def _is_told(view: View, space: Namespace, node: Node) -> bool:
    return space.by_id.get(node.id) is node and view.sees(node)
