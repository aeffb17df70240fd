"""What a run is to do becomes rows: the plan, batch by batch, each with the place from which the next slice goes on."""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from storage.index import incremental, protectors
from storage.index.listers import Lister
from storage.index.merging import BATCH, Change, Comparison
from storage.index.presence import require
from storage.index.rows import rows
from storage.models import Action, IndexRun

# Called in the transaction of each batch with what it has reached: writes that down while the run is still ours.
type Keep = Callable[..., None]

COLUMNS = (
    "run_id, number, action, key, name, file_id, is_directory, size, modified_ns, etag, content_type, sha256, owner_id, detail"
)
COPY = f"COPY storage_indexchange ({COLUMNS}) FROM STDIN"
# With the row as it is before, which is the backup.
WITH_BEFORE = f"""
INSERT INTO storage_indexchange ({COLUMNS}, before)
SELECT %s, given.*, to_jsonb(file) FROM unnest(
    %s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bool[], %s::bigint[], %s::bigint[], %s::text[],
    %s::text[], %s::text[], %s::int[], %s::text[]
) AS given(number, action, key, name, file_id)
JOIN storage_storedfile file ON file.id = given.file_id
"""  # noqa: S608 - names of ours
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Planning:
    """The planning of a run, slice by slice.

    Args:
        keep: see `Keep`.
    """

    def __init__(self, run: IndexRun, *, lister: Lister, keep: Keep) -> None:
        self.run = run
        self.lister = lister
        self.keep = keep
        self.comparison = Comparison(run, lister=lister, owned=run.root.is_owned)
        self.number = run.planned_up_to
        self.seconds: float = run.counts.get("seconds", {}).get("planning", 0.0)
        self.began_at = monotonic()

    def work(self, *, is_time_up: Callable[[], bool]) -> bool:
        """Go on with it; whether it has come to its end.

        Raises:
            RootNotThere: nothing is concluded.
        """
        require(self.run.root, self.lister)
        saved_at = monotonic()
        for reached in self._compared():
            self._save(reached)
            _slow_down(monotonic() - saved_at)
            saved_at = monotonic()
            if is_time_up():
                return False
        # A disk that went away meanwhile looks like an empty one.
        require(self.run.root, self.lister)
        self._save(None)
        return True

    def _compared(self) -> Iterator[str]:
        after, prefix = self.run.place.get("key", ""), self.run.prefix
        if self.run.incremental and self.lister.has_directories:
            return incremental.compared(self.run, lister=self.lister, comparison=self.comparison, after=after)
        events = self.lister.walk(after=after, prefix=prefix)
        return self.comparison.merge(events, rows(self.run, after=after, prefix=prefix))

    def _save(self, reached: str | None) -> None:
        """Write the changes of a batch, and up to where it came."""
        comparison = self.comparison
        changes, comparison.changes = self._unless_protected(comparison.changes), []
        known = [(self.number + n, change) for n, change in enumerate(changes, 1)]
        self.number += len(changes)
        place = {"masks": comparison.masks, "first": comparison.first}
        place["key"] = self.run.place.get("key", "") if reached is None else reached
        with transaction.atomic():
            _copy(self.run.pk, [each for each in known if each[1].file_id is None])
            _insert(self.run.pk, [each for each in known if each[1].file_id is not None])
            self.keep(place=place, counts=self._counts(), planned_up_to=self.number)
        self.run.place, self.run.counts, self.run.planned_up_to = place, self._counts(), self.number
        comparison.owners.forget()

    def _counts(self) -> dict[str, Any]:
        took = {"planning": round(self.seconds + monotonic() - self.began_at, 3)}
        return {**self.comparison.counts, "seconds": {**self.run.counts.get("seconds", {}), **took}}

    def _unless_protected(self, changes: list[Change]) -> list[Change]:
        """Rows on which something stands are not deleted, but for who says so by a wish of its own."""
        ids = [each.file_id for each in changes if each.action == Action.DELETE and each.file_id is not None]
        if not ids or self.run.include_protected:
            return changes
        why = protectors.protected(ids)
        return [self._kept(each, why[each.file_id]) if each.file_id in why else each for each in changes]

    def _kept(self, change: Change, why: str) -> Change:
        counts = self.comparison.counts
        counts["records_deleted"] -= 1
        counts["records_skipped"] += 1
        counts["protected_shared"] += 1
        return change._replace(action=Action.SKIP, detail=why)


def _copy(run_id: int, numbered: Sequence[tuple[int, Change]]) -> None:
    """Rows that are new, and anomalies: text in PostgreSQL's own form, which takes a fifth of the time of parameters."""
    if not numbered:
        return
    text = "".join([_line(run_id, number, change) for number, change in numbered])
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(text)


def _line(run_id: int, number: int, change: Change) -> str:
    action, key, name, _, is_directory, size, modified_ns, etag, kind, sha256, owner_id, detail = change
    if not key.isprintable() or "\\" in key or not name.isprintable() or "\\" in name:
        key, name = key.translate(ESCAPES), name.translate(ESCAPES)
    return (
        f"{run_id}\t{number}\t{action}\t{key}\t{name}\t\\N\t{is_directory}\t{size}\t{modified_ns}\t"
        f"{etag.translate(ESCAPES) if etag else etag}\t{kind}\t{sha256 or NULL}\t"
        f"{NULL if owner_id is None else owner_id}\t{detail.translate(ESCAPES) if detail else detail}\n"
    )


NULL = "\\N"


def _insert(run_id: int, numbered: Sequence[tuple[int, Change]]) -> None:
    if not numbered:
        return
    columns = [[number for number, _ in numbered], *map(list, zip(*(change for _, change in numbered), strict=True))]
    with connection.cursor() as cursor:
        cursor.execute(WITH_BEFORE, [run_id, *columns])


def _slow_down(took_s: float) -> None:
    """Leave the storage and the machine to others, where the settings say so."""
    at_most = settings.STORAGE_INDEX_ENTRIES_PER_S
    if at_most:
        sleep(max(BATCH / at_most - took_s, 0))
