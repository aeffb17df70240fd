"""The figures of a run in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse

from console.machine.timeline import duration_text
from core.base.sizes import size_text
from storage.index.figures import IndexSyncStats
from storage.models import Action, IndexRun

CHANGES = "admin:storage_indexrun_changes"
# Of each figure its words, and the action whose rows it counts, if it counts those alone.
WORDS: tuple[tuple[str, str, str], ...] = (
    ("files_on_disk", "Files that lie there", ""),
    ("dirs_scanned", "Directories that lie there", ""),
    ("files_in_db", "Rows of what should lie there", ""),
    ("unchanged", "Rows that are right", ""),
    ("missing_in_db", "Lie there without a row", ""),
    ("orphaned_in_db", "Rows of what does not lie there", ""),
    ("records_created", "Created", Action.CREATE),
    ("records_updated", "Updated", Action.UPDATE),
    ("renamed", "Renamed or moved", Action.RENAME),
    ("records_revived", "Found again", Action.REVIVE),
    ("records_restored", "Records brought back", Action.RESTORE),
    ("records_missed", "Marked as missing", Action.MISS),
    ("records_deleted", "Deleted", Action.DELETE),
    ("records_skipped", "Skipped, and not deleted", ""),
    ("protected_shared", "Of them protected by what stands on them", ""),
    ("masked", "Rows about which nothing was concluded", ""),
    ("anomalies", "Anomalies", Action.ANOMALY),
    ("errors", "Of them because something could not be read", ""),
    ("left", "Changed meanwhile, and left as they are", ""),
    ("users_scanned", "People whose files were looked at", ""),
)
# Of each action, the figure that counts its rows and no others.
COUNTED = {action: name for name, _, action in WORDS if action}
PHASES = {"planning": "comparing", "applying": "applying", "undoing": "undoing"}
DIFFERENCES = (
    "records_created",
    "records_updated",
    "renamed",
    "records_revived",
    "records_restored",
    "records_missed",
    "records_deleted",
)
SHORT = ("created", "updated", "renamed", "found again", "brought back", "missing", "deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number under its words; `url`: where the rows are that it counts, if they can be listed."""

    label: str
    count: int
    url: str


def figures_of(run: IndexRun) -> Iterator[Figure]:
    """What there is to tell of a run; what is nothing is left out."""
    stats = IndexSyncStats.of(run.counts)
    for name, label, action in WORDS:
        if count := getattr(stats, name):
            url = reverse(CHANGES, args=[run.pk], query={"action": action}) if action else ""
            yield Figure(label=label, count=count, url=url)


def in_short(run: IndexRun) -> str:
    """The differences in a line; empty before anything was counted."""
    stats = IndexSyncStats.of(run.counts)
    counts = ((getattr(stats, name), word) for name, word in zip(DIFFERENCES, SHORT, strict=True))
    told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    if told or not run.plan_is_whole:
        return told
    return "in sync" if stats.is_in_sync else "none"


def size_of(run: IndexRun) -> str:
    """Of all files that lie there; empty if that was not counted."""
    size = IndexSyncStats.of(run.counts).bytes
    return size_text(size) if size else ""


def seconds_of(run: IndexRun) -> str:
    """How long each phase took, in words."""
    seconds = IndexSyncStats.of(run.counts).seconds
    told = (f"{words} {_duration(seconds[phase])}" for phase, words in PHASES.items() if seconds.get(phase))
    return ", ".join(told)


def _duration(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))


def seen_of(run: IndexRun) -> int:
    """So many entries were looked at."""
    stats = IndexSyncStats.of(run.counts)
    return stats.files_on_disk + stats.dirs_scanned
