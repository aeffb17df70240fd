"""Roots that are read by a cursor: what is told is laid down page by page, and compared when there is nothing more to be told.

A whole run is told all that lies there, an incremental one what has happened since the root was read last. Nothing is looked at
once more by itself, which would be a call each: what was told is taken for what it is, and the brake guards.
"""

from collections.abc import Iterator
from typing import Any, override

from storage.errors import ListingBrokenOff, NotInParts
from storage.index.cursors import database_now
from storage.index.entries import CursorReset, Entry, name_of
from storage.index.listers import CursorLister
from storage.index.merging import BATCH, Comparison, Row
from storage.index.rows import given_by, rows_between
from storage.index.words import Told, count_them, settled, touched
from storage.models import IndexRun

# What a run keeps in mind until its plan is applied; see `storage.index.cursors`.
KEPT = ("began", "cursor", "asked_at", "anew")


class Taken:
    """Stands for the lister where one key is asked about."""

    has_directories = True

    def look(self, key: str) -> None:
        """Nothing more is known than what was told."""

    def digest(self, key: str) -> None:
        """Nobody reads what a file holds."""


class ToldComparison(Comparison):
    """As others, but directories are compared by their etags, too, and everything by the name that is shown."""

    def __init__(self, run: IndexRun) -> None:
        super().__init__(run, lister=Taken(), owned=run.root.is_owned)

    @override
    def _is_plain(self, event: Entry, row: tuple[Any, ...]) -> bool:
        return (event[4] or name_of(event[0])) == row[9] and super()._is_plain(event, row)

    @override
    def _is_same(self, event: Entry, row: Row) -> bool:
        return event[1:4] == row[1:4] and (event.name or name_of(event.key)) == row.name


def compared(
    run: IndexRun, *, lister: CursorLister, comparison: Comparison, told: list[Told]
) -> Iterator[dict[str, Any]]:
    """Be told, and compare; each place from which the next slice can go on.

    Args:
        told: what is to be laid down together with the place that comes next.

    Raises:
        CursorReset: the run has to begin anew, as a whole one.
        ListingBrokenOff: it is tried again.
        NotInParts: it is about a part of the root only.
    """
    if run.prefix:
        raise NotInParts
    place = dict(run.place)
    if not place.get("told"):
        for place in _pages(run, lister, told):
            yield place
    kept = {name: place[name] for name in KEPT if name in place}
    after = run.place.get("key", "")
    if not after and place.get("heard", 0) > BATCH:
        count_them()
    known = (
        touched(run, after=after) if run.incremental else rows_between(given_by(run, names=True), after=after, end="")
    )
    for reached in comparison.merge(settled(run, after=after), known):
        yield {**kept, "told": True, "key": reached}


def _pages(run: IndexRun, lister: CursorLister, told: list[Told]) -> Iterator[dict[str, Any]]:
    place = {name: run.place[name] for name in KEPT if name in run.place}
    if "cursor" not in place:
        if run.incremental and not run.root.cursor:
            raise CursorReset
        place |= {"began": run.root.cursor, "cursor": run.root.cursor if run.incremental else ""}
    pages, heard = lister.pages(place["cursor"]), run.place.get("heard", 0)
    has_more = True
    while has_more:
        asked_at = database_now().isoformat()
        page = next(pages, None)
        if page is None:
            raise ListingBrokenOff
        has_more = page.has_more
        if not page.tells_changes:
            asked_at = place.get("asked_at", asked_at)  # what was listed first is as old as that
        told.extend(page.entries)
        heard += len(page.entries)
        place |= {"cursor": page.cursor, "asked_at": asked_at, "told": not has_more, "heard": heard}
        yield dict(place)
