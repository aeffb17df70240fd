"""What lies there and what the rows say, side by side in the order of the keys."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from storage.backends.types import type_of
from storage.index.entries import KINDS, Anomaly, Entry, name_of, shown
from storage.index.owners import Owners
from storage.models import Action, FileState, IndexRun, Mode

BATCH = 5_000
# A file whose content is read counts once more for each of these, so that a batch of large ones ends in time.
READ_AS_ONE, NEVER = 256 * 1024, 2**63
# What `Row.odd` says of a row that has been missing for longer than the grace.
EXPIRED = "expired"
LONG_GONE = "It has been missing for longer than the grace."
NOBODYS = "\0"  # no key begins so
CREATE = Action.CREATE.value
new = tuple.__new__  # a third of the time of the named tuple's own


class Row(NamedTuple):
    """A row of the index, as much of it as is compared. The pages of them are plain tuples, in this order.

    Attributes:
        odd: None of what should be there; else "missing", "expired" or "quarantined".
        content_type: only where checksums are wished for. By itself it changes only with what knows of types.
        name: only where the key does not tell it.
    """

    key: str
    size: int
    modified_ns: int
    etag: str
    id: int
    odd: str | None
    owner_id: int | None
    sha256: str | None
    content_type: str | None
    name: str | None


class Change(NamedTuple):
    """A row of the plan before it has a number."""

    action: str
    key: str
    name: str
    file_id: int | None
    is_directory: bool
    size: int
    modified_ns: int
    etag: str
    content_type: str
    sha256: str | None
    owner_id: int | None
    detail: str = ""


class Looks(Protocol):
    """The part of a lister that is asked about one key."""

    has_directories: bool

    def look(self, key: str) -> Entry | Anomaly | None: ...
    def digest(self, key: str) -> str | None: ...


class Comparison:
    """The changes of one stretch of a run, gathered until somebody takes them.

    Attributes:
        masks: about these keys nothing is concluded.
        first: the first part of the keys that were looked at last, with its slash, so that its owner is told once.
        counts: the figures.
        newly_missing: what the brake counts.
    """

    def __init__(self, run: IndexRun, *, lister: Looks, owned: bool) -> None:
        self.lister = lister
        self.owned = owned
        self.checksums = run.checksums
        self.writes = run.mode != Mode.CLEAN
        self.deletes = run.mode in {Mode.CLEAN, Mode.FULL}
        self.at_once = not run.grace
        self.owners = Owners()
        self.changes: list[Change] = []
        self.counts: Counter[str] = Counter({name: count for name, count in run.counts.items() if name != "seconds"})
        self.masks: list[str] = list(run.place.get("masks", ()))
        self.first: str = run.place.get("first") or NOBODYS
        self.owner: int | None = self.owners.known(self.first[:-1]) if owned else None
        self.gone = ""

    def merge(self, events: Iterable[Entry | Anomaly], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
        """Compare both; after each `BATCH` of them comes the key up to which that is done.

        What is as it should be comes by here a million times, and is counted by batch.
        """
        row = next(rows, None)
        done = same = size = 0
        as_one = READ_AS_ONE if self.checksums else NEVER
        for event in events:
            key = event[0]
            while row is not None and row[0] < key:
                self._gone(row)
                if (done := done + 1) >= BATCH:
                    done = same = size = self._count_same(same, size)
                    yield row[0]
                row = next(rows, None)
            if type(event) is Anomaly:
                self.tell(event)
                continue
            assert type(event) is Entry
            if row is None or row[0] != key:
                self._new(event)
            else:
                if event[1:4] == row[1:4] and row[5] is None and self._is_plain(event, row):
                    same += 1
                    size += event[1]
                else:
                    self.both(event, row)
                row = next(rows, None)
            if (done := done + 1 + event[1] // as_one) >= BATCH:
                done = same = size = self._count_same(same, size)
                yield key
        while row is not None:
            self._gone(row)
            if (done := done + 1) >= BATCH:
                done = same = size = self._count_same(same, size)
                yield row[0]
            row = next(rows, None)
        self._count_same(same, size)

    def _is_plain(self, event: Entry, row: tuple[Any, ...]) -> bool:
        """Whether it is a file of whom the one before it was, and no more is asked than how it looks."""
        key = event[0]
        return row[6] == self.owner and key.startswith(self.first) and key[-1] != "/" and not self.checksums

    def _is_same(self, event: Entry, row: Row) -> bool:
        """Whether the row says how it looks. The etag of a directory on a disk says only how it was read."""
        return event[1:3] == row[1:3] and (event.etag == row.etag or event.key[-1] == "/")

    def _count_same(self, files: int, size: int) -> int:
        """Count files that are as they should be; nothing is left to be counted then."""
        for name in ("files_on_disk", "files_in_db", "unchanged"):
            self.counts[name] += files
        self.counts["bytes"] += size
        return 0

    def both(self, event: Entry, found: tuple[Any, ...]) -> None:
        """Compare what lies there with its row."""
        row = Row._make(found)
        self._see(event)
        self.counts["files_in_db"] += 1
        if self._is_same(event, row) and row.odd is None and row.owner_id == self.owner and not self.checksums:
            self.counts["unchanged"] += 1
        else:
            self._differs(event, row)

    def _see(self, event: Entry) -> None:
        """Count what lies there, and know whose it is."""
        self.counts["dirs_scanned" if event[0][-1] == "/" else "files_on_disk"] += 1
        self.counts["bytes"] += event[1]
        if not event[0].startswith(self.first):
            self._whose(event[0])

    def _differs(self, event: Entry, row: Row) -> None:
        if row.odd == FileState.QUARANTINED:
            self.counts["unchanged"] += 1
            return
        is_directory = event.key[-1] == "/"
        same = self._is_same(event, row)
        sha256 = row.sha256 if same else None
        if self.checksums and not is_directory:
            sha256 = self.lister.digest(event.key)
            same = same and sha256 == row.sha256 and row.content_type == type_of(event.name or name_of(event.key))
        if same and row.odd is None and row.owner_id == self.owner:
            self.counts["unchanged"] += 1
        elif self.writes:
            back = row.odd is not None
            self.counts["records_revived" if back else "records_updated"] += 1
            self.changes.append(self._as_it_lies(Action.REVIVE if back else Action.UPDATE, event, row.id, sha256))

    def _new(self, event: Entry) -> None:
        self._see(event)
        self.counts["missing_in_db"] += 1
        if not self.writes:
            return
        self.counts["records_created"] += 1
        sha256 = self.lister.digest(event[0]) if self.checksums and event[0][-1] != "/" else None
        self.changes.append(self._as_it_lies(CREATE, event, None, sha256))

    def _as_it_lies(self, action: str, event: Entry, file_id: int | None, sha256: str | None) -> Change:
        # A million come by here, too.
        key, size, modified_ns, etag, name = event
        if key[-1] == "/":
            is_directory, name, kind = True, name or name_of(key), ""
        else:
            is_directory, name = False, name or key.rpartition("/")[2]
            kind = type_of(name)
        told = (action, key, name, file_id, is_directory, size, modified_ns, etag, kind, sha256, self.owner, "")
        return new(Change, told)

    def _gone(self, known: tuple[Any, ...]) -> None:
        """A row of what was not listed. It is looked at once more before that is believed."""
        row = Row._make(known)
        key = row.key
        if row.odd == FileState.QUARANTINED:
            return
        if self._is_masked(key):
            self.counts["masked"] += 1
            return
        found = None if self.gone and key.startswith(self.gone) else self.lister.look(key)
        if isinstance(found, Entry):
            self.both(found, row)
            return
        if isinstance(found, Anomaly):
            self.tell(found)
            self.counts["masked"] += 1
            return
        if key[-1] == "/" and self.lister.has_directories:
            self.gone = key
        self.counts["files_in_db"] += 1
        self.counts["orphaned_in_db"] += 1
        self._not_there(row)

    def _not_there(self, row: Row) -> None:
        if row.odd is None:
            self.counts["newly_missing"] += 1
            if self.deletes and self.at_once:
                self._drop(Action.DELETE, row)
                return
            self.counts["records_skipped"] += self.deletes
            self._drop(Action.MISS, row)
        elif self.deletes:
            if row.odd == EXPIRED:
                self._drop(Action.DELETE, row, LONG_GONE)
            else:
                self.counts["records_skipped"] += 1
                self._drop(Action.SKIP, row, "It has not been missing for long enough to be deleted.")

    def _drop(self, action: str, row: Row, detail: str = "") -> None:
        if action != Action.SKIP:
            self.counts["records_deleted" if action == Action.DELETE else "records_missed"] += 1
        key, size, modified_ns, etag, file_id, _, owner_id, sha256, _, name = row
        name = name or name_of(key)
        self.changes.append(
            Change(action, key, name, file_id, key[-1] == "/", size, modified_ns, etag, "", sha256, owner_id, detail)
        )

    def tell(self, anomaly: Anomaly) -> None:
        """Note something odd, once, and leave alone what it stands in the way of."""
        # What no row can be called needs no mask.
        masks = [mask for mask in anomaly.masks if shown(mask) == mask]
        fresh = [mask for mask in masks if mask not in self.masks]
        if masks and not fresh:
            return
        self.masks = [mask for mask in self.masks if _reaches(mask, anomaly.key)] + fresh
        self.counts["anomalies"] += 1
        self.counts["errors"] += KINDS[anomaly.kind]
        self._say(anomaly.kind, shown(anomaly.key), anomaly.detail)

    def _say(self, kind: str, key: str, detail: str) -> None:
        is_directory = key[-1] == "/"
        self.changes.append(
            Change(Action.ANOMALY, key, name_of(key), None, is_directory, 0, 0, kind, "", None, None, detail)
        )

    def _is_masked(self, key: str) -> bool:
        return any(key == mask or (mask[-1] == "/" and key.startswith(mask)) for mask in self.masks)

    def _whose(self, key: str) -> None:
        """Whose the keys are that begin so; whoever is not known is told once."""
        part, slash, _ = key.partition("/")
        self.first = part + slash if slash else NOBODYS  # "9" says nothing about "9/"
        if not self.owned:
            self.owner = None
            return
        self.owner = self.owners.known(part) if slash else None
        if self.owner is not None:
            self.counts["users_scanned"] += 1
        elif slash:
            self._odd_owner("unknown_owner", self.first, f"There is no user {shown(part)}, so this belongs to nobody.")
        else:
            self._odd_owner("unowned", key, "It lies beside the directories of the users, so it belongs to nobody.")

    def _odd_owner(self, kind: str, key: str, detail: str) -> None:
        self.counts["anomalies"] += 1
        self._say(kind, key, detail)


def _reaches(mask: str, key: str) -> bool:
    """Whether what it masks is not yet passed."""
    return mask >= key or (mask[-1] == "/" and key.startswith(mask))
