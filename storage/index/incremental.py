"""Only directories whose time has changed are read: what was added to them, taken away or renamed.

A file that is written in place changes no directory, so only a whole run notices that.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from storage.index.entries import Anomaly, Entry
from storage.index.listers import DirectoryLister
from storage.index.merging import Comparison, Row
from storage.index.rows import COLUMNS, LAST, end_of, given_by, rows
from storage.models import IndexRun, StoredFile

DIRECTORIES = 1_000  # so many are looked at between two places from which a run can go on
PAGE = f"""
SELECT {COLUMNS} FROM storage_storedfile
WHERE root_id = %(root)s AND is_directory AND state = 'present' AND key > %(after)s AND key < %(end)s
ORDER BY key LIMIT %(limit)s
"""
# From each child straight to the next, past whatever lies below it. chr(1) makes the very next text.
CHILDREN = f"""
WITH RECURSIVE child AS (
    (SELECT * FROM storage_storedfile WHERE root_id = %(root)s AND key > %(directory)s AND key < %(end)s ORDER BY key LIMIT 1)
    UNION ALL
    SELECT beside.* FROM child, LATERAL (
        SELECT * FROM storage_storedfile file
        WHERE file.root_id = %(root)s AND file.key < %(end)s
            AND file.key >= CASE WHEN child.is_directory THEN left(child.key, -1) || '0' ELSE child.key || chr(1) END
        ORDER BY file.key LIMIT 1
    ) beside
)
SELECT {COLUMNS} FROM child
"""


def compared(run: IndexRun, *, lister: DirectoryLister, comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Compare what may have changed; each place from which the next slice can go on.

    A place has the directory that was looked at last, what is to be compared as a whole before the next one, and how far
    that is done.
    """
    place = {name: run.place[name] for name in ("key", "whole", "inside") if name in run.place}
    if not place:
        place = {"key": run.prefix[:-1], "whole": _at_the_top(run, lister, comparison), "inside": ""}
    yield from _whole(run, lister, comparison, place)
    while page := _directories(run, place["key"]):
        for row in page:
            place = {"key": row.key, "whole": _changed(run, lister, comparison, row), "inside": ""}
            if place["whole"] or len(comparison.changes) >= DIRECTORIES:
                yield place
                yield from _whole(run, lister, comparison, place)
        yield place


def _at_the_top(run: IndexRun, lister: DirectoryLister, comparison: Comparison) -> list[str]:
    """Compare what no directory with a row stands above; what is to be compared as a whole."""
    if not run.prefix:
        return _children(run, lister, comparison, "")
    is_known = any(row.key == run.prefix for row in _directories(run, run.prefix[:-1])[:1])
    return [] if is_known and isinstance(lister.look(run.prefix), Entry) else [run.prefix]


def _whole(
    run: IndexRun, lister: DirectoryLister, comparison: Comparison, place: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Compare all that lies below what is new or gone."""
    whole, inside = list(place.get("whole", ())), place.get("inside", "")
    while whole:
        prefix = whole[0]
        events = lister.walk(after=inside, prefix=prefix)
        for reached in comparison.merge(events, rows(run, after=inside, prefix=prefix)):
            yield {**place, "whole": list(whole), "inside": reached}
        whole, inside = whole[1:], ""
        yield {**place, "whole": list(whole), "inside": ""}


def _changed(run: IndexRun, lister: DirectoryLister, comparison: Comparison, row: Row) -> list[str]:
    """Compare what lies in a directory, if that may have changed; what is to be compared as a whole."""
    found = lister.look(row.key)
    if not isinstance(found, Entry):
        return []  # that it is gone is seen in the directory above
    comparison.both(found, row)
    if found.modified_ns == row.modified_ns and row.etag != StoredFile.RECENT:
        return []
    return _children(run, lister, comparison, row.key)


def _children(run: IndexRun, lister: DirectoryLister, comparison: Comparison, key: str) -> list[str]:
    """Compare the files in a directory; what is below it, and is new there or gone."""
    listed: list[Entry | Anomaly] = list(lister.directory(key))
    known = _rows_in(run, key)
    below = {each[0] for each in listed if isinstance(each, Entry) and each[0][-1] == "/"}
    had = {key + row.key[len(key) :].partition("/")[0] + "/" for row in known if "/" in row.key[len(key) :]}
    whole_rows = {row.key for row in known if row.key[-1] == "/" and row.odd is None}
    for _ in comparison.merge(
        (each for each in listed if each[0][-1] != "/" or isinstance(each, Anomaly)),
        iter([row for row in known if "/" not in row.key[len(key) :]]),
    ):
        pass
    return sorted((below ^ had) | (below - whole_rows))


def _directories(run: IndexRun, after: str) -> list[Row]:
    given = given_by(run) | {"after": after, "end": end_of(run.prefix) or LAST, "limit": DIRECTORIES}
    with connection.cursor() as cursor:
        cursor.execute(PAGE, given)
        return [Row._make(found) for found in cursor.fetchall()]


def _rows_in(run: IndexRun, key: str) -> list[Row]:
    given = given_by(run) | {"directory": key, "end": end_of(key) or LAST}
    with connection.cursor() as cursor:
        cursor.execute(CHILDREN, given)
        return [Row._make(found) for found in cursor.fetchall()]
