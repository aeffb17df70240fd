"""What a run is to do becomes rows: the plan, batch by batch, each with the place from which the next slice goes on."""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core.base.database import copy_in
from storage.errors import ListingBrokenOff
from storage.index import deltas, incremental, protectors, sorting
from storage.index.entries import CursorReset, OutOfOrder
from storage.index.listers import AnyLister, reads_by_cursor, reads_directories
from storage.index.merging import BATCH, LONG_GONE, NOBODYS, Change, Comparison
from storage.index.presence import require
from storage.index.rows import rows
from storage.index.text import escaped
from storage.index.words import Told, lay_down
from storage.models import Action, IndexChange, IndexRun, ListedEntry

# Called in the transaction of each batch with what it has reached: writes that down while the run is still ours.
type Keep = Callable[..., None]

COLUMNS = "run_id, number, action, key, name, file_id, is_directory, size, modified_ns, etag, content_type, sha256, owner_id, detail"
COPY = f"COPY storage_indexchange ({COLUMNS}) FROM STDIN"
# With the row as it is before, which is the backup.
WITH_BEFORE = f"""
INSERT INTO storage_indexchange ({COLUMNS}, before)
SELECT %s, given.*, to_jsonb(file) FROM unnest(
    %s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bool[], %s::bigint[], %s::bigint[], %s::text[],
    %s::text[], %s::text[], %s::int[], %s::text[]
) AS given(number, action, key, name, file_id)
JOIN storage_storedfile file ON file.id = given.file_id
"""


NULL = "\\N"
# A place that forgets its cursors as fast as it gives them is not read to its end by asking again.
ANEW_AT_MOST = 3


class Planning:
    """The planning of a run, slice by slice.

    Args:
        keep: see `Keep`.
    """

    def __init__(self, run: IndexRun, *, lister: AnyLister, keep: Keep) -> None:
        self.run = run
        self.lister = lister
        self.keep = keep
        self.comparison = (
            deltas.ToldComparison(run)
            if reads_by_cursor(lister)
            else Comparison(run, lister=lister, owned=run.root.is_owned)
        )
        self.told: list[Told] = []
        self.number = run.planned_up_to
        self.seconds: float = run.counts.get("seconds", {}).get("planning", 0.0)
        self.began_at = monotonic()

    def work(self, *, is_time_up: Callable[[], bool]) -> bool:
        """Go on with it; whether it has come to its end.

        Raises:
            RootNotThere: nothing is concluded.
            ListingBrokenOff: it is tried again.
        """
        if self.run.place.get("done"):
            return True
        require(self.run.root, self.lister)
        saved_at = monotonic()
        try:
            for place in self._places():
                entries = len(self.told) or BATCH
                self._save(place)
                _slow_down(entries, monotonic() - saved_at)
                saved_at = monotonic()
                if is_time_up():
                    return False
        except OutOfOrder:
            self._begin_with_sorting()
            return False
        except CursorReset:
            self._begin_anew()
            return False
        # A disk that went away meanwhile looks like an empty one.
        require(self.run.root, self.lister)
        self._save({**{name: self.run.place[name] for name in deltas.KEPT if name in self.run.place}, "done": True})
        return True

    def _places(self) -> Iterator[dict[str, Any]]:
        """Compare, and say after each batch from where the next slice goes on."""
        run, prefix = self.run, self.run.prefix
        if reads_by_cursor(self.lister):
            yield from deltas.compared(run, lister=self.lister, comparison=self.comparison, told=self.told)
            return
        if run.incremental and reads_directories(self.lister):
            yield from incremental.compared(run, lister=self.lister, comparison=self.comparison)
            return
        if run.place.get("sorting"):
            yield from sorting.sort(run, lister=self.lister, comparison=self.comparison)
        after, is_sorted = run.place.get("key", ""), bool(run.place.get("sorted"))
        events = sorting.listed(run, after=after) if is_sorted else self.lister.walk(after=after, prefix=prefix)
        for reached in self.comparison.merge(events, rows(run, after=after, prefix=prefix)):
            yield {"key": reached, "sorted": is_sorted}

    def _begin_with_sorting(self) -> None:
        """Forget what was planned by a listing that is not in our order."""
        with transaction.atomic():
            IndexChange.objects.filter(run=self.run).delete()
            self.keep(place={"sorting": True}, counts={}, planned_up_to=0)

    def _begin_anew(self) -> None:
        """Forget what was told up to a cursor that is not known any more, and be told all that lies there."""
        times = self.run.place.get("anew", 0) + 1
        if times > ANEW_AT_MOST:
            raise ListingBrokenOff
        with transaction.atomic():
            IndexChange.objects.filter(run=self.run).delete()
            ListedEntry.objects.filter(run=self.run).delete()
            self.keep(place={"anew": times}, counts={}, planned_up_to=0, incremental=False)

    def _save(self, place: dict[str, Any]) -> None:
        """Write the changes of a batch, and where the next one begins."""
        comparison = self.comparison
        changes, comparison.changes = self._unless_protected(comparison.changes), []
        known = [(self.number + n, change) for n, change in enumerate(changes, 1)]
        self.number += len(changes)
        place = {**place, "masks": comparison.masks, "first": comparison.first.strip(NOBODYS)}
        counts = self._counts()
        told, self.told[:] = list(self.told), []
        with transaction.atomic():
            lay_down(self.run, told)
            _copy(self.run.pk, [each for each in known if each[1].file_id is None])
            _insert(self.run.pk, [each for each in known if each[1].file_id is not None])
            if place.get("done"):
                ListedEntry.objects.filter(run=self.run).delete()
            self.keep(place=place, counts=counts, planned_up_to=self.number)
        self.run.place, self.run.counts, self.run.planned_up_to = place, counts, self.number
        comparison.owners.forget()

    def _counts(self) -> dict[str, Any]:
        seconds = {
            **self.run.counts.get("seconds", {}),
            "planning": round(self.seconds + monotonic() - self.began_at, 3),
        }
        return {**self.comparison.counts, "seconds": seconds}

    def _unless_protected(self, changes: list[Change]) -> list[Change]:
        """Rows on which something stands are not deleted, but for who says so by a wish of its own."""
        ids = [each.file_id for each in changes if each.action == Action.DELETE and each.file_id is not None]
        if not ids or self.run.include_protected:
            return changes
        why = protectors.protected(ids)
        return [self._kept(each, why[each.file_id]) if each.file_id in why else each for each in changes]

    def _kept(self, change: Change, why: str) -> Change:
        """A row on which something stands: it is marked as missing, if it was not, and stays."""
        is_marked = change.detail == LONG_GONE
        counts = self.comparison.counts
        counts["records_deleted"] -= 1
        counts["records_missed"] += not is_marked
        counts["records_skipped"] += 1
        counts["protected_shared"] += 1
        return change._replace(action=Action.SKIP if is_marked else Action.MISS, detail=why)


def _copy(run_id: int, numbered: Sequence[tuple[int, Change]]) -> None:
    """Rows that are new, and anomalies."""
    if not numbered:
        return
    copy_in(COPY, "".join([_line(run_id, number, change) for number, change in numbered]))


def _line(run_id: int, number: int, change: Change) -> str:
    action, key, name, _, is_directory, size, modified_ns, etag, kind, sha256, owner_id, detail = change
    return (
        f"{run_id}\t{number}\t{action}\t{escaped(key)}\t{escaped(name)}\t\\N\t{is_directory}\t{size}\t{modified_ns}\t"
        f"{escaped(etag)}\t{kind}\t{sha256 or NULL}\t"
        f"{NULL if owner_id is None else owner_id}\t{escaped(detail)}\n"
    )


def _insert(run_id: int, numbered: Sequence[tuple[int, Change]]) -> None:
    if not numbered:
        return
    columns = [[number for number, _ in numbered], *map(list, zip(*(change for _, change in numbered), strict=True))]
    with connection.cursor() as cursor:
        cursor.execute(WITH_BEFORE, [run_id, *columns])


def _slow_down(entries: int, took_s: float) -> None:
    """Leave the storage and the machine to others, where the settings say so."""
    at_most = settings.STORAGE_INDEX_ENTRIES_PER_S
    if at_most:
        sleep(max(entries / at_most - took_s, 0))
