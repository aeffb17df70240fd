"""A listing in another order than ours is laid down and sorted by the database."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from core.base.database import copy_in
from storage.index.entries import Anomaly, Entry
from storage.index.listers import Lister
from storage.index.merging import BATCH, Comparison
from storage.index.text import escaped
from storage.index.words import count_them
from storage.models import IndexRun

COPY = "COPY storage_listedentry (run_id, key, size, modified_ns, etag) FROM STDIN"
# What was listed twice, because a slice was lost, is one.
PAGE = """
SELECT DISTINCT ON (key) key, size, modified_ns, etag FROM storage_listedentry
WHERE run_id = %s AND key > %s ORDER BY key LIMIT %s
"""


def sort(run: IndexRun, *, lister: Lister, comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Lay down all that is listed; each place from which that can go on, by the order of the store."""
    batch: list[Entry] = []
    reached = run.place.get("listed_up_to", "")
    for told in lister.listed(after=reached, prefix=run.prefix):
        if isinstance(told, Anomaly):
            comparison.tell(told)
            continue
        batch.append(told)
        if len(batch) >= BATCH:
            _lay_down(run, batch)
            yield {"sorting": True, "listed_up_to": batch[-1].key}
            batch = []
    _lay_down(run, batch)
    yield {"sorted": True, "key": ""}


def listed(run: IndexRun, *, after: str) -> Iterator[Entry]:
    """The same in our order."""
    if not after:
        count_them()
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [run.pk, after, BATCH])
            page = cursor.fetchall()
        yield from (Entry(key, size, modified_ns, etag, "") for key, size, modified_ns, etag in page)
        if len(page) < BATCH:
            return
        after = page[-1][0]


def _lay_down(run: IndexRun, batch: list[Entry]) -> None:
    lines = (
        f"{run.pk}\t{escaped(key)}\t{size}\t{modified_ns}\t{escaped(etag)}\n"
        for key, size, modified_ns, etag, _ in batch
    )
    copy_in(COPY, "".join(lines))
