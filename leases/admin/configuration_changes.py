"""What somebody makes of an agency's configuration: each field, what it was and what it is to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from leases.models import AgencyStorageConfig

PATHS = ("runsheet_archive_base_path", "documents_base_path", "misc_index_base_path")
LABELS = {
    "agency": "Agency",
    "enabled": "Discovery runs for this agency",
    "makes_archives": "Missing archives are made by themselves",
    "runsheet_archive_base_path": "Folder of the runsheet archives",
    "documents_base_path": "Folder of the documents",
    "misc_index_base_path": "Folder of the miscellaneous index",
    "watched": "The archives are watched",
    "poll_minutes": "Minutes between two looks",
}
# What decides where is looked; whoever changes it is asked first.
PLACES = frozenset({"agency", *PATHS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that gets another value.

    Attributes:
        before: as it is shown; empty if nothing was saved yet.
    """

    field: str
    before: str
    after: str

    @property
    def label(self) -> str:
        return LABELS[self.field]

    @property
    def is_place(self) -> bool:
        return self.field in PLACES


def changes_between(saved: AgencyStorageConfig | None, wanted: AgencyStorageConfig) -> tuple[Change, ...]:
    """In the order of the page; paths are compared as they are kept, so that another way to write one is no change.

    Args:
        saved: None if it is a new configuration.
    """
    pairs = ((field, _shown(saved, field) if saved else "", _shown(wanted, field)) for field in LABELS)
    return tuple(Change(field=field, before=before, after=after) for field, before, after in pairs if before != after)


def in_words(changes: Iterable[Change]) -> str:
    """For the history: “Folder of the documents: “/a” → “/b”.”, one sentence for each field."""
    return " ".join(
        f"{each.label}: {f'{_quoted(each.before)} → ' if each.before else ''}{_quoted(each.after)}." for each in changes
    )


def _shown(configuration: AgencyStorageConfig, field: str) -> str:
    value: Any = getattr(configuration, field)
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _quoted(value: str) -> str:
    return value if value in ("on", "off") else f"“{value}”"
