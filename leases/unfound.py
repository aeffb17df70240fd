"""Which rows of a file have no archive, as far as the importer's own Dropbox was read, and what comes near each of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from leases.neighbours import Near, without_archive
from leases.row_checks import Checked, Examined


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutArchive:
    """A row whose number has none.

    Attributes:
        nearest: the nearest first; None: so many rows have none that nobody has looked for more.
    """

    row: Checked
    nearest: tuple[Near, ...] | None

    @property
    def sentence(self) -> str:
        """What is said beside the row."""
        if self.nearest is None:
            return "There is no archive of this name."
        if not self.nearest:
            return "There is no archive of this name, and none that comes near."
        return f"There is no archive of this name. Nearest: {', '.join(map(str, self.nearest))}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfound:
    """What is known of the archives of a file's leases.

    Attributes:
        looked_at: how many rows are of agencies whose archives are known.
        by_row: those without an archive, by the row's number in the file.
    """

    looked_at: int
    by_row: Mapping[int, WithoutArchive]

    @property
    def summary(self) -> str:
        """How many have none; empty where all have one."""
        looked_for = [each.nearest for each in self.by_row.values() if each.nearest is not None]
        count, near = len(self.by_row), sum(bool(nearest) for nearest in looked_for)
        if not count:
            return ""
        among = "" if len(looked_for) == count else f"of the first {len(looked_for):,} of them "
        return (
            f"{count:,} of {self.looked_at:,} number{'s' if self.looked_at > 1 else ''} {_have(count)} no archive; "
            f"{among}{near:,} {_have(near)} a near one."
        )


def rows_without_archive(examined: Examined, *, user: User | None) -> Unfound | None:
    """Those of the rows that can be imported that have no archive; Dropbox is not asked.

    Args:
        user: who imports; None: nobody has said.

    Returns:
        None where it is not known of any row.
    """
    if user is None:
        return None
    by_agency: defaultdict[str, list[Checked]] = defaultdict(list)
    for row in examined.usable:
        by_agency[row.agency].append(row)
    looked_at = 0
    by_row: dict[int, WithoutArchive] = {}
    for agency, rows in by_agency.items():
        found = without_archive(agency=agency, numbers=[row.lease_number for row in rows], user=user)
        if found is not None:
            looked_at += len(rows)
            missing = [row for row in rows if row.lease_number in found]
            by_row |= {row.row: WithoutArchive(row=row, nearest=found[row.lease_number]) for row in missing}
    return Unfound(looked_at=looked_at, by_row=dict(sorted(by_row.items()))) if looked_at else None


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
