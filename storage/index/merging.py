"""What lies there and what the rows say, side by side in the order of the keys."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from storage.index.entries import KINDS, Anomaly, Entry, name_of, shown
from storage.index.owners import Owners
from storage.index.types import type_of
from storage.models import Action, FileState, IndexRun, Mode

BATCH = 5_000
# What `Row.odd` says of a row that has been missing for longer than the grace.
EXPIRED = "expired"


class Row(NamedTuple):
    """A row of the index, as much of it as is compared.

    Attributes:
        odd: None of what should be there; else "missing", "expired" or "quarantined".
    """

    key: str
    size: int
    modified_ns: int
    etag: str
    id: int
    odd: str | None
    owner_id: int | None
    sha256: str | None


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
        first: the first part of the keys that were looked at last, so that its owner is told once.
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
        self.first: str | None = run.place.get("first")
        self.owner: int | None = self.owners.known(self.first) if owned and self.first else None
        self.gone = ""

    def merge(self, events: Iterable[Entry | Anomaly], rows: Iterator[Row]) -> Iterator[str]:
        """Compare both; after each `BATCH` of them comes the key up to which that is done."""
        row = next(rows, None)
        done = 0
        for event in events:
            key = event[0]
            while row is not None and row[0] < key:
                self._gone(row)
                done += 1
                if done >= BATCH:
                    done = 0
                    yield row[0]
                row = next(rows, None)
            if type(event) is Anomaly:
                self._tell(event)
                continue
            assert isinstance(event, Entry)
            if row is not None and row[0] == key:
                self._both(event, row)
                row = next(rows, None)
            else:
                self._new(event)
            done += 1
            if done >= BATCH:
                done = 0
                yield key
        while row is not None:
            self._gone(row)
            done += 1
            if done >= BATCH:
                done = 0
                yield row[0]
            row = next(rows, None)

    def _both(self, event: Entry, row: Row) -> None:
        key, size, modified_ns, etag, _ = event
        counts = self.counts
        is_directory = key[-1] == "/"
        counts["dirs_scanned" if is_directory else "files_on_disk"] += 1
        counts["bytes"] += size
        counts["files_in_db"] += 1
        if self.first is None or not key.startswith(self.first):
            self._whose(key)
        if (
            row[5] is None
            and size == row[1]
            and modified_ns == row[2]
            and (etag == row[3] or is_directory)
            and row[6] == self.owner
            and not self.checksums
        ):
            counts["unchanged"] += 1
            return
        self._differs(event, row)

    def _differs(self, event: Entry, row: Row) -> None:
        if row.odd == FileState.QUARANTINED:
            self.counts["unchanged"] += 1
            return
        is_directory = event.key[-1] == "/"
        same = event[1:3] == row[1:3] and (event.etag == row.etag or is_directory)
        sha256 = row.sha256 if same else None
        if self.checksums and not is_directory:
            sha256 = self.lister.digest(event.key)
            same = same and sha256 == row.sha256
        if same and row.odd is None and row.owner_id == self.owner:
            self.counts["unchanged"] += 1
        elif self.writes:
            back = row.odd is not None
            self.counts["records_revived" if back else "records_updated"] += 1
            self.changes.append(self._as_it_lies(Action.REVIVE if back else Action.UPDATE, event, row.id, sha256))

    def _new(self, event: Entry) -> None:
        key, size = event[0], event[1]
        counts = self.counts
        counts["dirs_scanned" if key[-1] == "/" else "files_on_disk"] += 1
        counts["bytes"] += size
        counts["missing_in_db"] += 1
        if self.first is None or not key.startswith(self.first):
            self._whose(key)
        if not self.writes:
            return
        counts["records_created"] += 1
        sha256 = self.lister.digest(key) if self.checksums and key[-1] != "/" else None
        self.changes.append(self._as_it_lies(Action.CREATE, event, None, sha256))

    def _as_it_lies(self, action: str, event: Entry, file_id: int | None, sha256: str | None) -> Change:
        key, size, modified_ns, etag, name = event
        name = name or name_of(key)
        is_directory = key[-1] == "/"
        kind = "" if is_directory else type_of(name)
        return Change(
            action, key, name, file_id, is_directory, size, modified_ns, etag, kind, sha256, self.owner
        )

    def _gone(self, row: Row) -> None:
        """A row of what was not listed. It is looked at once more before that is believed."""
        key = row.key
        if row.odd == FileState.QUARANTINED:
            return
        if self._is_masked(key):
            self.counts["masked"] += 1
            return
        found = None if self.gone and key.startswith(self.gone) else self.lister.look(key)
        if isinstance(found, Entry):
            self._both(found, row)
            return
        if isinstance(found, Anomaly):
            self._tell(found)
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
                self._drop(Action.DELETE, row)
            else:
                self.counts["records_skipped"] += 1
                self._drop(Action.SKIP, row, "It has not been missing for long enough to be deleted.")

    def _drop(self, action: str, row: Row, detail: str = "") -> None:
        if action != Action.SKIP:
            self.counts["records_deleted" if action == Action.DELETE else "records_missed"] += 1
        key, size, modified_ns, etag, file_id, _, owner_id, sha256 = row
        name = name_of(key)
        self.changes.append(
            Change(action, key, name, file_id, key[-1] == "/", size, modified_ns, etag, "", sha256, owner_id, detail)
        )

    def _tell(self, anomaly: Anomaly) -> None:
        """Note something odd, once, and leave alone what it stands in the way of."""
        fresh = [mask for mask in anomaly.masks if mask not in self.masks]
        if anomaly.masks and not fresh:
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
        self.first = part + slash if slash else None  # "9" says nothing about "9/"
        if not self.owned:
            self.owner = None
            return
        self.owner = self.owners.known(part) if slash else None
        if self.owner is not None:
            self.counts["users_scanned"] += 1
        elif slash:
            self._odd_owner("unknown_owner", f"{part}/", f"There is no user {shown(part)}, so this belongs to nobody.")
        else:
            self._odd_owner("unowned", key, "It lies beside the directories of the users, so it belongs to nobody.")

    def _odd_owner(self, kind: str, key: str, detail: str) -> None:
        self.counts["anomalies"] += 1
        self._say(kind, key, detail)


def _reaches(mask: str, key: str) -> bool:
    """Whether what it masks is not yet passed."""
    return mask >= key or (mask[-1] == "/" and key.startswith(mask))

