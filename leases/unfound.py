"""Which rows of a file have no archive, as far as the importer's own Dropbox was read, and what comes near each of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from core.base.folding import fold_case
from leases.calls import Calls
from leases.lookalikes import short_key
from leases.neighbours import Near, answered_without_calls, is_read, without_archive
from leases.queries import leases_numbered
from leases.row_checks import Checked, Examined
from leases.validation import is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutArchive:
    """A row whose number has none.

    Attributes:
        nearest: the nearest first; None: so many rows have none that nobody has looked for more.
    """

    row: Checked
    nearest: tuple[Near, ...] | None

    @property
    def offered(self) -> list[str]:
        """The names that the row can take for its number."""
        return [each.name for each in self.nearest or () if is_number(each.name)]

    @property
    def the_same(self) -> str:
        """The one of them that is the same number written otherwise; empty where there is none, or more than one."""
        key = short_key(self.row.lease_number)
        same = [name for name in self.offered if short_key(name) == key]
        return same[0] if len(same) == 1 else ""

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
        not_known: of how many rows it is not known, by agency: its archives are not known just now, or that number's.
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
    looked_at = 0
    not_known: dict[str, int] = {}
    by_row: dict[int, WithoutArchive] = {}
    for agency, rows in by_agency.items():
        found = without_archive(agency=agency, numbers=[row.lease_number for row in rows], user=user)
        if found is None:
            not_known[agency] = len(rows)
            continue
        looked_at += len(rows)
        missing = [row for row in rows if row.lease_number in found.near]
        by_row |= {row.row: WithoutArchive(row=row, nearest=found.near[row.lease_number]) for row in missing}
        if untold := sum(row.lease_number in found.unknown for row in rows):
            not_known[agency] = untold
            looked_at -= untold
    if not any(is_read(agency=agency, user=user) for agency in by_agency):
        return None
    return Unfound(looked_at=looked_at, by_row=dict(sorted(by_row.items())), not_known=not_known)


def taken_numbers(examined: Examined, rows: Iterable[WithoutArchive]) -> dict[tuple[str, str], int | None]:
    """Of what these rows could take: what a lease has already, with its primary key, or another row of the file (None).

    By agency and folded number; one query for each agency.
    """
    offered: defaultdict[str, list[str]] = defaultdict(list)
    for each in rows:
        offered[each.row.agency] += each.offered
    taken: dict[tuple[str, str], int | None] = {
        (row.agency, fold_case(row.lease_number)): None for row in examined.usable
    }
    for agency, numbers in offered.items():
        found = leases_numbered(agency, numbers).values_list("lease_number", "pk") if numbers else ()
        taken |= {(agency, fold_case(number)): pk for number, pk in found}
    return taken


def same_numbers(examined: Examined, unfound: Unfound) -> dict[int, str]:
    """By row: the archive that nobody but this row can mean, since its name is the same number, written otherwise.

    Left out is what is a lease already, and what two rows would take.
    """
    found = {row: each for row, each in unfound.by_row.items() if each.the_same}
    taken = taken_numbers(examined, found.values())
    keys = {row: (each.row.agency, fold_case(each.the_same)) for row, each in found.items()}
    wanted = Counter(keys.values())
    return {row: each.the_same for row, each in found.items() if keys[row] not in taken and wanted[keys[row]] == 1}


def calls_of_import(rows: Sequence[Checked], *, user: User | None) -> Calls | None:
    """About how many calls the import takes; None where nobody has said who imports, or nothing can be imported."""
    numbers: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        numbers[row.agency].append(row.lease_number)
    if user is None or not numbers:
        return None
    answered = sum(answered_without_calls(agency=agency, numbers=some, user=user) for agency, some in numbers.items())
    return Calls(starting=len(rows), answered=answered)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _numbers(count: int) -> str:
    return f"{count:,} number{'' if count == 1 else 's'}"
