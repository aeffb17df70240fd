"""Which rows of a file have no archive, as far as the importer's own Dropbox was read, and what comes near each of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from leases.neighbours import Near, is_read, without_archive
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
        not_known: how many rows are of agencies of whose archives it is not known just now which there are, by agency.
    """

    looked_at: int
    by_row: Mapping[int, WithoutArchive]
    not_known: Mapping[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """How many have none, and of how many that is not known; empty where all have one."""
        return " ".join(filter(None, [self.absent, self.unknown]))

    @property
    def unknown(self) -> str:
        """Of how many it is not known; empty where it is known of all."""
        of_each = " and ".join(f"{_numbers(count)} of {agency}" for agency, count in self.not_known.items())
        return f"Of {of_each} it is not known just now whether there is an archive." if of_each else ""

    @property
    def absent(self) -> str:
        """How many have none; empty where none is known to have none."""
        looked_for = [each.nearest for each in self.by_row.values() if each.nearest is not None]
        count, near = len(self.by_row), sum(bool(nearest) for nearest in looked_for)
        if not count:
            return ""
        among = "" if len(looked_for) == count else f"of the first {len(looked_for):,} of them "
        return (
            f"{count:,} of {_numbers(self.looked_at)} {_have(count)} no archive; "
            f"{among}{near:,} {_have(near)} a near one."
        )


def rows_without_archive(examined: Examined, *, user: User | None) -> Unfound | None:
    """Those of the rows that can be imported that have no archive; Dropbox is not asked.

    Args:
        user: who imports; None: nobody has said.

    Returns:
        None where nobody has said who imports, or none of the archives is read with that person's Dropbox.
    """
    if user is None:
        return None
    by_agency: defaultdict[str, list[Checked]] = defaultdict(list)
    for row in examined.usable:
        by_agency[row.agency].append(row)
    looked_at, not_known = 0, {}
    by_row: dict[int, WithoutArchive] = {}
    for agency, rows in by_agency.items():
        found = without_archive(agency=agency, numbers=[row.lease_number for row in rows], user=user)
        if found is None:
            not_known[agency] = len(rows)
            continue
        looked_at += len(rows)
        missing = [row for row in rows if row.lease_number in found]
        by_row |= {row.row: WithoutArchive(row=row, nearest=found[row.lease_number]) for row in missing}
    if not any(is_read(agency=agency, user=user) for agency in by_agency):
        return None
    return Unfound(looked_at=looked_at, by_row=dict(sorted(by_row.items())), not_known=not_known)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _numbers(count: int) -> str:
    return f"{count:,} number{'' if count == 1 else 's'}"
