"""The figures of a run: the same for a dry run and a real one, since both count what is planned."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSyncStats:
    """What a run has seen, and what it does about it.

    Attributes:
        users_scanned: people whose files were looked at.
        files_on_disk, dirs_scanned: what lies there.
        files_in_db: rows of what should lie there, directories among them.
        missing_in_db: what lies there and has no row.
        orphaned_in_db: rows of what does not lie there.
        records_skipped: rows that would be deleted but for something; `protected_shared` of them for what stands on them.
        records_missed: rows that are marked as missing.
        records_revived: rows of what is there again.
        records_restored: what was brought back from what is written in files, such as documents with all their versions.
        errors: of `anomalies`, those because of which something could not be learned.
        masked: rows about which nothing was concluded because of an anomaly.
        bytes: of all files that lie there.
        left: changes that were not applied, since their rows had been changed meanwhile or were protected by then.
        seconds: by phase.
    """

    users_scanned: int = 0
    files_on_disk: int = 0
    dirs_scanned: int = 0
    files_in_db: int = 0
    missing_in_db: int = 0
    orphaned_in_db: int = 0
    records_created: int = 0
    records_updated: int = 0
    records_deleted: int = 0
    records_skipped: int = 0
    records_missed: int = 0
    records_revived: int = 0
    renamed: int = 0
    records_restored: int = 0
    unchanged: int = 0
    protected_shared: int = 0
    anomalies: int = 0
    masked: int = 0
    errors: int = 0
    bytes: int = 0
    left: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> Self:
        """From what a run keeps."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in counts.items() if name in known})

    @property
    def differences(self) -> int:
        """How many rows are not as they should be."""
        return (
            self.records_created
            + self.records_updated
            + self.records_deleted
            + self.records_missed
            + self.records_revived
            + self.renamed
            + self.records_restored
        )

    @property
    def is_in_sync(self) -> bool:
        """Whether the rows say what lies there; never where nothing could be concluded about some of them."""
        return not (self.differences or self.missing_in_db or self.orphaned_in_db or self.masked)
