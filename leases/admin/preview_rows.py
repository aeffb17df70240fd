"""One row of a preview: what is wrong with it, and what it could be instead."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.base.folding import fold_case
from leases.columns import AGENCY, NUMBER
from leases.row_checks import Checked, LeftOut
from leases.unfound import WithoutArchive


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An archive of nearly the number of a row.

    Attributes:
        lease_id: the lease that has this number already.
        is_free: whether the row can take it for its number.
    """

    name: str
    lease_id: int | None
    is_free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One row, with what is wrong beside what is wrong.

    Attributes:
        taken: what is a lease already, with its primary key, or stands in another row (None), by agency and folded number.
        in_file: its number as it stands in the file, where a person has put another one in its place.
    """

    row: Checked | LeftOut
    without_archive: WithoutArchive | None
    taken: Mapping[tuple[str, str], int | None]
    in_file: str | None

    @property
    def no_archive(self) -> str:
        """That it has none, and what comes near."""
        return self.without_archive.sentence if self.without_archive else ""

    @property
    def offers(self) -> list[Offer]:
        """The near names, each with what can be done about it."""
        names = self.without_archive.offered if self.without_archive else []
        keys = {name: (self.row.agency, fold_case(name)) for name in names}
        return [
            Offer(name=name, lease_id=self.taken.get(key), is_free=key not in self.taken) for name, key in keys.items()
        ]

    @property
    def reason(self) -> str:
        """Why it is no lease."""
        return self.row.reason if isinstance(self.row, LeftOut) else ""

    @property
    def agency_problem(self) -> str:
        return self.row.problems.get(AGENCY, "") if isinstance(self.row, Checked) else ""

    @property
    def number_problem(self) -> str:
        return self.row.problems.get(NUMBER, "") if isinstance(self.row, Checked) else ""

    @property
    def doubt(self) -> str:
        """Nobody cares for what is doubtful in a row that is wrong."""
        return " ".join(self.row.doubts) if isinstance(self.row, Checked) and not self.row.problems else ""
