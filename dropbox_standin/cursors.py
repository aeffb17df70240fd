"""Listings, page by page, and the deltas that follow them."""

from __future__ import annotations

import heapq
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dropbox_standin.deltas import Delta, Scope
from dropbox_standin.names import Key, Names, fold_all
from dropbox_standin.sights import OPEN
from dropbox_standin.tree import Folder, Namespace, Node
from dropbox_standin.wire import BadRequest, conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropbox_standin.tokens import Tokens
    from dropbox_standin.views import View
    from dropbox_standin.world import Settings

KEPT = 100_000
KEPT_DELTAS = 4
SHAPE = re.compile(r"AA[0-9a-f]{64}")
FOLLOW, NOT_FOUND, RESET = WATCHED_FOLDER = ("follow", "not_found", "reset")

type Mark = tuple[int, int]
type Position = tuple[int, Key]
# What is told of a path: what is there, or how the name of what was there is spelled.
type Told = Node | Names
type Entry = tuple[Position, Namespace, Told]

BEGINNING: Position = (-1, ())


@dataclass(frozen=True, slots=True)
class Span:
    """One tree that a listing covers.

    Attributes:
        is_mount: it is told as a folder in the other tree.
    """

    space: Namespace
    folder: Folder
    is_mount: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """What a listing was asked for; all of its cursors share it."""

    view: View
    folder: Folder
    path: str
    recursive: bool
    include_deleted: bool
    include_mounted: bool
    limit: int

    def spans(self) -> tuple[Span, ...]:
        """The folder's own tree, and the home that is mounted under a team's root."""
        own = Span(self.view.namespace_of(self.folder), self.folder, is_mount=False)
        if self.folder is self.view.base.root and self.view.shows_home_as_folder:
            home = self.view.account.home
            return own, Span(home, home.root, is_mount=True)
        return (own,)

    def marks(self) -> tuple[Mark, ...]:
        """How far the change logs have come that concern this listing."""
        return tuple((len(span.space.changes), self._own_changes(span)) for span in self.spans())

    def scope(self, base: Key) -> Scope:
        return Scope(base, self.recursive, self.tells_itself, self.enters, self.view.sees)

    @property
    def tells_itself(self) -> bool:
        """Whether the folder is in its own listing: if it has a path, and all beneath is listed, too."""
        return self.recursive and self.folder is not self.view.start

    def enters(self, folder: Folder) -> bool:
        """Whether what lies in a folder is told where the folder itself is."""
        return self.view.may_open(folder) and (self.include_mounted or not self._is_other_mount(folder))

    def goes_into(self, span: Span) -> bool:
        return not span.is_mount or (self.recursive and self.include_mounted)

    def leaves_out(self, space: Namespace, key: Key) -> bool:
        """Whether a place lies in a mounted folder, and these are not to be told of."""
        if self.include_mounted or not space.has_team_folders or self.folder is not space.root:
            return False
        return len(key) > 1

    def _is_other_mount(self, folder: Folder) -> bool:
        return folder is not self.folder and self.view.is_team_folder(folder)

    def _own_changes(self, span: Span) -> int:
        return 0 if span.is_mount else len(self.view.account.sights.changes)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a listing or in what follows it. It never changes: who repeats a call gets the same again.

    What it will tell is not kept but looked up, from here on in the order of the paths.

    Attributes:
        bases: where the folder was while the client was told of it since `seen`; the last is where it is now.
        seen: how far each change log was told.
        until: how far they are being told, while a delta has further pages; a listing has none.
        after: what was told last, in a listing or a delta of which there is more.
        is_repeat: what it tells was told before, as was ordered.
    """

    watch: Watch
    bases: tuple[Key, ...]
    seen: tuple[Mark, ...]
    until: tuple[Mark, ...] | None = None
    after: Position | None = None
    is_listing: bool = False
    is_repeat: bool = False
    empty_pages: int = 0

    @property
    def path(self) -> str:
        return self.watch.path


@dataclass
class Cursors:
    """The cursors handed out; those unused for longest are forgotten, which a client sees as `reset`."""

    tokens: Tokens
    settings: Settings
    kept: OrderedDict[str, Cursor] = field(default_factory=OrderedDict)
    _deltas: OrderedDict[tuple[object, ...], Delta] = field(default_factory=OrderedDict)

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
        if cursor is None or account_id not in {None, cursor.watch.view.account.account_id}:
            raise conflict("reset")
        self.kept.move_to_end(value)
        return cursor

    def forget(self, *, account_id: str | None = None) -> None:
        """Let every cursor, or every one of an account, answer `reset`."""
        for value in [
            value for value, cursor in self.kept.items() if account_id in {None, cursor.watch.view.account.account_id}
        ]:
            del self.kept[value]
        self._deltas.clear()

    def page(self, cursor: Cursor) -> tuple[list[dict[str, Any]], Cursor, bool]:
        """The next entries, the cursor behind them, and whether more are waiting.

        Raises:
            UnionError: the folder is gone, or has moved and that ends a cursor.
        """
        if cursor.empty_pages:
            return [], replace(cursor, empty_pages=cursor.empty_pages - 1), True
        self._check_watched(cursor)
        cursor, watch = _ahead(cursor), cursor.watch
        entries = list(islice(self._entries(cursor), watch.limit + 1))
        described = _describe(watch.view, entries[: watch.limit])
        if len(entries) > watch.limit:
            return described, replace(cursor, after=entries[watch.limit - 1][0]), True
        if entries and self.settings.repeat_deltas and cursor.until is not None and not cursor.is_repeat:
            return described, Cursor(watch, cursor.bases, cursor.seen, is_repeat=True), False
        seen = cursor.seen if cursor.until is None else cursor.until
        return described, Cursor(watch, cursor.bases[-1:], seen), False

    def has_news(self, cursor: Cursor) -> bool:
        """Whether `/continue` would tell anything."""
        if cursor.is_listing or cursor.until is not None or not _is_there(cursor) or _has_moved(cursor):
            return True
        return any(True for _ in self._entries(_ahead(cursor)))

    def _check_watched(self, cursor: Cursor) -> None:
        gone = not _is_there(cursor)
        knob = self.settings.watched_folder
        if gone or (knob != FOLLOW and _has_moved(cursor)):
            raise conflict("reset") if knob == RESET else conflict("path", "not_found")

    def _entries(self, cursor: Cursor) -> Iterator[Entry]:
        return self._listed(cursor) if cursor.is_listing else self._changed(cursor)

    def _listed(self, cursor: Cursor) -> Iterator[Entry]:
        """What is there; then what no longer is, if that was asked for."""
        watch, after = cursor.watch, cursor.after or BEGINNING
        for at, span in enumerate(watch.spans()):
            yield from ((position, span.space, node) for position, node in _contents(watch, span, 2 * at, after))
            if watch.include_deleted and after < (2 * at + 2, ()) and watch.goes_into(span):
                yield from self._deleted(watch, at, span, after)

    def _deleted(self, watch: Watch, at: int, span: Span, after: Position) -> Iterator[Entry]:
        stage, marks = 2 * at + 1, watch.marks()
        behind = after[1] if after[0] == stage else None
        delta = self._delta(watch, at, span, tuple((0, own) for _, own in marks), marks)
        for key, names in delta.places(span.space, watch.scope(fold_all(span.folder.names())), after=behind):
            if _was_deleted(watch.view, span.space, key) and not watch.leaves_out(span.space, key):
                yield (stage, key), span.space, names

    def _changed(self, cursor: Cursor) -> Iterator[Entry]:
        """What is, or no longer is, at the places that have changed."""
        watch, after, until = cursor.watch, cursor.after or BEGINNING, cursor.until or ()
        for at, span in enumerate(watch.spans()):
            if after[0] > at or not watch.goes_into(span):
                continue
            behind = after[1] if after[0] == at else None
            if span.folder is watch.folder and len(cursor.bases) > 1:
                yield from self._followed(cursor, at, span, behind)
            elif cursor.seen[at] != until[at]:
                delta = self._delta(watch, at, span, cursor.seen, until)
                base = fold_all(span.folder.names())
                for key, names in delta.places(span.space, watch.scope(base), after=behind):
                    if watch.leaves_out(span.space, key):
                        continue
                    yield (at, key), span.space, _told(watch.view, span.space, key, names)

    def _followed(self, cursor: Cursor, at: int, span: Span, behind: Key | None) -> Iterator[Entry]:
        """The folder lies elsewhere: all is gone from the old path, and is at the new one."""
        watch, names = cursor.watch, span.folder.names()
        delta = self._delta(watch, at, span, cursor.seen, cursor.until or ())
        here = watch.scope(fold_all(names))
        places = heapq.merge(
            *(delta.places(span.space, watch.scope(base), after=behind) for base in cursor.bases[:-1]),
            delta.places(span.space, here, after=behind, all_of=names),
            key=itemgetter(0),
        )
        last = None
        for key, spelled in places:
            if key != last:
                last = key
                told = _told(watch.view, span.space, key, spelled) if here.covers(key) else spelled
                yield (at, key), span.space, told

    def _delta(self, watch: Watch, at: int, span: Span, seen: tuple[Mark, ...], until: tuple[Mark, ...]) -> Delta:
        """Those made last are kept, since a client that reads a long one asks for each of its pages."""
        sights = watch.view.account.sights
        spot = (span.space, sights, span.is_mount, seen[at], until[at])
        if spot not in self._deltas:
            shared = span.space.changes[seen[at][0] : until[at][0]]
            own = sights.changes[seen[at][1] : until[at][1]]
            self._deltas[spot] = Delta(chain(shared, own), onlooker=sights)
            if len(self._deltas) > KEPT_DELTAS:
                self._deltas.popitem(last=False)
        return self._deltas[spot]


def start(
    *,
    view: View,
    folder: Folder,
    path: str,
    recursive: bool,
    include_deleted: bool,
    limit: int,
    include_mounted: bool = True,
    latest: bool = False,
    empty_pages: int = 0,
) -> Cursor:
    """The beginning of a listing, or with `latest` its end."""
    watch = Watch(view, folder, path, recursive, include_deleted, include_mounted, limit)
    cursor = Cursor(watch, (fold_all(folder.names()),), watch.marks())
    return cursor if latest else replace(cursor, is_listing=True, after=BEGINNING, empty_pages=empty_pages)


def _is_there(cursor: Cursor) -> bool:
    view, folder = cursor.watch.view, cursor.watch.folder
    return any(space.by_id.get(folder.id) is folder for space in view.account.namespaces) and view.may_open(folder)


def _has_moved(cursor: Cursor) -> bool:
    return fold_all(cursor.watch.folder.names()) != cursor.bases[-1]


def _ahead(cursor: Cursor) -> Cursor:
    """The cursor with a delta to tell, if it has not begun with one, or if the folder has been moved since."""
    watch = cursor.watch
    if _has_moved(cursor):
        bases = (*cursor.bases, fold_all(watch.folder.names()))
        return Cursor(watch, bases, cursor.seen, watch.marks(), BEGINNING, is_repeat=cursor.is_repeat)
    if cursor.is_listing or cursor.until is not None:
        return cursor
    return replace(cursor, until=watch.marks(), after=BEGINNING)


def _contents(watch: Watch, span: Span, stage: int, after: Position) -> Iterator[tuple[Position, Node]]:
    """What is there, behind a position; keys count from the folder, which may be moved between two pages."""
    if after >= (stage + 1, ()):
        return
    if after < (stage, ()) and (span.is_mount or watch.tells_itself):
        yield (stage, ()), span.folder
    if not watch.goes_into(span):
        return
    behind = after[1] if after[0] == stage else ()
    yield from (((stage, key), node) for key, node in _walk(watch, span.folder, behind))


def _walk(watch: Watch, folder: Folder, behind: Key) -> Iterator[tuple[Key, Node]]:
    def enters(inner: Folder) -> bool:
        return watch.recursive and watch.enters(inner)

    return ((key, node) for key, node in folder.walk_after(behind, enters=enters) if watch.view.sees(node))


def _was_deleted(view: View, space: Namespace, key: Key) -> bool:
    """Whether nothing is at a place that the account would see."""
    found = [node for depth in range(len(key) + 1) if (node := space.find(key[:depth])) is not None]
    return len(found) <= len(key) and view.sight(found[-1]) in OPEN


def _told(view: View, space: Namespace, key: Key, names: Names) -> Told:
    node = space.find(key)
    return node if node is not None and view.sees(node) else names


def _describe(view: View, entries: list[Entry]) -> list[dict[str, Any]]:
    described = iter(view.describe_all([told for _, _, told in entries if isinstance(told, Node)]))
    return [
        next(described) if isinstance(told, Node) else view.describe_deleted(space, told) for _, space, told in entries
    ]
