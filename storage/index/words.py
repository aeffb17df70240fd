"""What is told by a cursor is laid down word by word as it comes, and read back in our order: the last word about a key holds.

All of it in bounded memory: what stands above a key in that order are texts with which the key begins.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched, groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from core.base.database import copy_in
from storage.index.entries import LONGEST_KEY_BYTES, Anomaly, Entry, Gone, shown
from storage.index.merging import BATCH, new
from storage.index.rows import COLUMNS, LAST, given_by, rows_between
from storage.index.text import escaped
from storage.models import IndexRun, Word

COPY = "COPY storage_listedentry (run_id, key, word, size, modified_ns, etag, name) FROM STDIN"
PAGE = """
SELECT key, id, word, size, modified_ns, etag, name FROM storage_listedentry
WHERE run_id = %s AND (key, id) > (%s, %s) ORDER BY key, id LIMIT %s
"""
ENDS = f"""
SELECT key, max(id) FROM storage_listedentry
WHERE run_id = %s AND key = ANY(%s) AND (word = {Word.GONE.value} OR word = {Word.THERE.value} AND key NOT LIKE '%%/')
GROUP BY key ORDER BY key
"""
# The first rows of each of many stretches; of most there are few, or none.
STRETCHES, FIRST = 500, 20
FIRST_ROWS = f"""
SELECT stretch.number, found.*
FROM unnest(%(begins)s::text[], %(ends)s::text[]) WITH ORDINALITY AS stretch(begin_at, end_at, number), LATERAL (
    SELECT {COLUMNS} FROM storage_storedfile
    WHERE root_id = %(root)s AND key >= stretch.begin_at AND key < stretch.end_at ORDER BY key LIMIT %(limit)s
) found
ORDER BY stretch.number, found.key
"""
NEXT = chr(1)  # a key and this: the very next text
# As columns of a page have them.
KEY, NUMBER, WORD, TOLD = 0, 1, 2, slice(3, 7)
THERE, GONE, NO_FILE, ODD = (word.value for word in Word)

type Told = Entry | Gone | Anomaly
type Page = tuple[Any, ...]


def lay_down(run: IndexRun, told: Iterable[Told]) -> None:
    """Write down what is told, in that order."""
    lines = "".join([line for each in told for line in _lines(run.pk, each)])
    if lines:
        copy_in(COPY, lines)


def count_them() -> None:
    """Let PostgreSQL know how many words there are. It would sort all that is left for each page, if it took them for a few."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE storage_listedentry")


def settled(run: IndexRun, *, after: str) -> Iterator[Entry | Anomaly]:
    """What lies there behind a key when all is told."""
    ends = _ends_around(run, after)
    for key, words in groupby(_words(run, after), itemgetter(KEY)):
        while ends and not key.startswith(ends[-1][0]):
            ends.pop()
        said = list(words)
        ended = max((number for above, number in ends if _is_below(key, above)), default=0) if ends else 0
        # What is odd about it does not take it away.
        last = next((word for word in reversed(said) if word[WORD] != ODD), said[-1])
        if last[WORD] == THERE and last[NUMBER] > ended:
            yield new(Entry, (key, *last[TOLD]))
        if said[-1][WORD] == ODD and said[-1][NUMBER] > ended:
            yield from _odd(said)
        if end := _end(said):
            ends.append((key, end))


def touched(run: IndexRun, *, after: str) -> Iterator[tuple[Any, ...]]:
    """The rows behind a key about which anything is said, as `merging.Row` has them; no other row is read."""
    given = given_by(run, names=True)
    for stretches in batched(_stretches(run, after), STRETCHES, strict=False):
        yield from _rows_in(given, stretches)


def _lines(run_id: int, told: Told) -> Sequence[str]:
    """As PostgreSQL reads them. Of the place itself nothing is said but that it was emptied."""
    if type(told) is Entry:
        key, size, modified_ns, etag, name = told
        if key in {"", "/"}:
            return ()
        if why := _why_no_row(key, name):
            return _lines(run_id, Anomaly(key, *why))
        line = f"{run_id}\t{escaped(key)}\t{THERE}\t{size}\t{modified_ns}\t{escaped(etag)}\t{escaped(name)}\n"
        return (line, f"{run_id}\t{escaped(key[:-1])}\t{NO_FILE}\t0\t0\t\t\n") if key[-1] == "/" else (line,)
    if type(told) is Gone:
        key = told.key.removesuffix("/")
        # Else there is no row of it.
        return (f"{run_id}\t{escaped(key)}\t{GONE}\t0\t0\t\t\n",) if key == _kept(key) else ()
    assert type(told) is Anomaly
    masks = [mask for mask in told.masks if shown(mask) == mask]
    said = escaped(json.dumps([told.kind, told.detail, masks]))
    return (f"{run_id}\t{escaped(_kept(told.key or '/'))}\t{ODD}\t0\t0\t{said}\t\n",)


def _why_no_row(key: str, name: str) -> tuple[str, str] | None:
    """The kind of anomaly, and a sentence; None if it can be a row."""
    if not (key.isprintable() and name.isprintable()) and (shown(key) != key or shown(name) != name):
        return "name", "Its name is no text that can be kept. Give it another one."
    if len(key) > LONGEST_KEY_BYTES // 4 and len(key.encode()) > LONGEST_KEY_BYTES:
        return "too_long", f"Its path has more than {LONGEST_KEY_BYTES:,} bytes. Give it a shorter one."
    return None


def _kept(key: str) -> str:
    """As much of a key as an index holds."""
    return shown(key).encode()[:LONGEST_KEY_BYTES].decode(errors="ignore")


def _words(run: IndexRun, after: str) -> Iterator[Page]:
    """The words behind a key, in the order of the keys, of each in the order in which they came."""
    key, number = after, 2**63 - 1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [run.pk, key, number, BATCH])
            page = cursor.fetchall()
        yield from page
        if len(page) < BATCH:
            return
        key, number = page[-1][:2]


def _end(said: Sequence[Page]) -> int:
    """The number of the last word by which nothing is below the key; 0 if there is none."""
    is_file = said[0][KEY][-1:] != "/"
    for each in reversed(said):
        if each[WORD] == GONE or (each[WORD] == THERE and is_file):
            number: int = each[NUMBER]
            return number
    return 0


def _ends_around(run: IndexRun, after: str) -> list[tuple[str, int]]:
    """Where nothing is below, of keys up to that one, as far as keys behind it may be below; the shortest first."""
    above = [after[:length] for length in range(len(after)) if after[length] <= "/" or not length]
    with connection.cursor() as cursor:
        cursor.execute(ENDS, [run.pk, [*above, after]])
        return list(cursor.fetchall())


def _is_below(key: str, above: str) -> bool:
    """Of a key that begins with the other one."""
    return not above or key[len(above)] == "/"


def _odd(said: Sequence[Page]) -> Iterator[Anomaly]:
    """What is odd about a key, once each, since anything else was said of it."""
    told: list[str] = []
    for word in said:
        told = [*told, word[5]] if word[WORD] == ODD else []
    for each in dict.fromkeys(told):
        kind, detail, masks = json.loads(each)
        yield Anomaly(said[0][KEY], kind, detail, tuple(masks))


def _stretches(run: IndexRun, after: str) -> Iterator[tuple[str, str]]:
    """From which key to before which one there may be rows about which something is said; in order, none twice."""
    reached = after + NEXT if after else ""
    for begin, end in _all_stretches(run, after):
        if end > reached:
            yield max(begin, reached), end
            reached = end


def _all_stretches(run: IndexRun, after: str) -> Iterator[tuple[str, str]]:
    """The same in order of where they begin."""
    # Of each key what is below it comes later than the key, and other keys in between; those begin with the key.
    ended = [key for key, _ in _ends_around(run, after)]
    if "" in ended:
        yield "", LAST
        return
    for key, words in groupby(_words(run, after), itemgetter(KEY)):
        while ended and f"{ended[-1]}/" <= key:
            yield _below(ended.pop())
        said = list(words)
        if any(each[WORD] != ODD for each in said):
            yield key, key + NEXT
        if _end(said):
            ended.append(key)
    while ended:
        yield _below(ended.pop())


def _below(key: str) -> tuple[str, str]:
    return f"{key}/", f"{key}0"  # "0" comes after "/"


def _rows_in(given: dict[str, Any], stretches: Sequence[tuple[str, str]]) -> Iterator[tuple[Any, ...]]:
    begins, ends = zip(*stretches, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(FIRST_ROWS, given | {"begins": list(begins), "ends": list(ends), "limit": FIRST})
        found = cursor.fetchall()
    for number, each in groupby(found, itemgetter(0)):
        first = [row[1:] for row in each]
        yield from first
        if len(first) == FIRST:
            yield from rows_between(given, after=first[-1][0], end=ends[number - 1])
