"""What each row of a file would become: a lease, with what is wrong with it and what is doubtful, or none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError

from leases.agency_numbers import agency_by_form
from leases.agency_words import Words, agency_of, own_names
from leases.columns import AGENCY, NUMBER, Mapping, cell_of, header_row, letters, other_number_columns
from leases.duplicates import Alike, Crowd, Twins, looks_like, looks_like_row, twins_of
from leases.lookalikes import doubts_about_number
from leases.models import Agency
from leases.no_leases import why_no_lease
from leases.other_agency import OtherAgency
from leases.several_numbers import holds_several
from leases.validation import normalise_number, validate_lease_number
from spreadsheets.tables import WHOLE, Row

SPREADSHEET_ERRORS = ("#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#N/A", "#SPILL!", "#CALC!")
# What a file of rows that were left out has besides its own columns, folded.
OURS = {"row", "problem"}
SEVERAL = "This cell holds several lease numbers: give each of them a row of its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One row of a file as it would be saved.

    Attributes:
        agency: a value of `Agency`, or as it stands in the file where that is none.
        problems: a sentence for each column that something is wrong with.
        doubts: sentences about what may not be what is meant; it can be imported all the same. None about a number that
            is a problem.
        existing_id: the lease that the row is a duplicate of.
        first_row: the row before this one that is the same lease.
        similar_id: the lease that has a similar number.
    """

    row: int
    agency: str
    lease_number: str
    problems: dict[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    existing_id: int | None = None
    first_row: int | None = None
    similar_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that is not imported, and why.

    Attributes:
        others: the cells of the file's own columns.
        is_header: these are the names of the columns, which nobody misses.
        is_above: it stands above the first row that was said to be a lease, whatever else it may be.
    """

    row: int
    agency: str
    lease_number: str
    reason: str
    others: tuple[str, ...] = ()
    is_header: bool = False
    is_above: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a file would become. Each of its rows is in one of the two lists.

    Attributes:
        checked: the rows that are leases, or should be, in the order of the file.
        no_leases: the others.
        own_columns: the names of the columns that mean nothing to us, by column.
        notes: a sentence for each thing that a person may not expect.
    """

    checked: tuple[Checked, ...] = ()
    no_leases: tuple[LeftOut, ...] = ()
    own_columns: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def wrong(self) -> list[Checked]:
        return [row for row in self.checked if row.problems]

    @property
    def usable(self) -> list[Checked]:
        return [row for row in self.checked if not row.problems]

    @property
    def doubtful(self) -> list[Checked]:
        return [row for row in self.usable if row.doubts]


def examine(rows: Sequence[Row], mapping: Mapping, words: Words | None = None, *, has_names: bool = True) -> Examined:
    """What each row would become, and what is wrong with it; asks the database once.

    Args:
        mapping: complete.
        words: what is known to mean an agency; None: their own names.
        has_names: the names of the columns may stand among the rows.
    """
    words = words or own_names()
    header = header_row(rows, mapping) if has_names else None
    no_leases, checked = [], []
    other = OtherAgency(rows, words, number=mapping.number)
    for row in rows:
        reason = why_no_lease(row, mapping, header, words)
        if reason:
            no_leases.append(_left_out(row, mapping, reason, is_header=row is header))
        else:
            checked.append(_check(row, mapping, words, other))
    return Examined(
        checked=tuple(_with_twins(checked)),
        no_leases=tuple(no_leases),
        own_columns=_own_columns(rows, mapping, header),
        notes=tuple(_notes(rows, mapping)),
    )


# --- One row --------------------------------------------------------------------------------------------------------


def _check(row: Row, mapping: Mapping, words: Words, other: OtherAgency) -> Checked:
    cell, number_cell = cell_of(row, mapping.agency), cell_of(row, mapping.number)
    agency = agency_of(cell, words) if cell else mapping.agency_of_all
    number = normalise_number(number_cell)
    problems = {
        AGENCY: _told(row.problems, mapping.agency) or _agency_problem(agency, has_column=mapping.agency is not None),
        NUMBER: _told(row.problems, mapping.number) or _number_problem(number_cell, number),
    }
    doubts = [
        _told(row.doubts, mapping.agency),
        _told(row.doubts, mapping.number),
        row.doubts.get(WHOLE, ""),
        *([] if cell else _doubts_about_chosen(row, mapping, number, other)),
        *([] if problems[NUMBER] else doubts_about_number(number, agency=_whose(agency, cell, number))),
    ]
    return Checked(
        row=row.number,
        agency=agency,
        lease_number=number,
        problems={column: problem for column, problem in problems.items() if problem},
        doubts=tuple(dict.fromkeys(filter(None, doubts))),
    )


def _whose(agency: str, cell: str, number: str) -> str:
    """The agency by whose form the number is judged; where one was chosen for the row, another one's is told already."""
    return agency if cell or agency_by_form(number) in {"", agency} else ""


def _told(sentences: dict[int, str], column: int | None) -> str:
    return sentences.get(column, "") if column is not None else ""


def _agency_problem(agency: str, *, has_column: bool) -> str:
    if agency in Agency:
        return ""
    known = " or ".join(Agency.values)
    if not has_column:
        return f"The agency is missing, and no column of the file holds agencies: say whether it is {known}."
    if not agency:
        return f"The agency is missing: write {known}."
    return _calculated(agency) or f"“{agency}” is no agency known here: write {known}."


def _doubts_about_chosen(row: Row, mapping: Mapping, number: str, other: OtherAgency) -> list[str]:
    """Where the agency is the one that was chosen for all: what in the row speaks against it, and that it does not say it."""
    chosen = mapping.agency_of_all
    if chosen not in Agency:
        return []
    missing = f"No agency stands in this row; it is taken to be of {chosen}, which was chosen."
    return [*([missing] if mapping.agency is not None else []), *other.doubts(row, number=number, chosen=chosen)]


def _number_problem(cell: str, number: str) -> str:
    if not number:
        return "The lease number is missing."
    if calculated := _calculated(number):
        return calculated
    if holds_several(cell):
        return SEVERAL
    try:
        validate_lease_number(number)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _calculated(cell: str) -> str:
    if cell.startswith("="):
        return "This cell is a formula: put its value in its place."
    return "This cell is an error of the spreadsheet: correct it there." if cell in SPREADSHEET_ERRORS else ""


# --- One row beside the others --------------------------------------------------------------------------------------


def _with_twins(rows: Sequence[Checked]) -> list[Checked]:
    """Of rows of one lease only the first is right, and none if there is such a lease already.

    Of rows that only look like one lease each is doubtful: which of them is meant, nobody can tell.
    """
    right = [row for row in rows if not row.problems]
    found = zip(right, twins_of([(row.agency, row.lease_number) for row in right]), strict=True)
    first: dict[tuple[str, str], Checked] = {}
    single = [(_once(row, twins, first), twins) for row, twins in found]
    crowd = Crowd((row.agency, twins, row) for row, twins in single if not row.problems)
    beside = (row if row.problems else _beside(row, twins, crowd) for row, twins in single)
    return [row if row.problems else next(beside) for row in rows]


def _once(row: Checked, twins: Twins, first: dict[tuple[str, str], Checked]) -> Checked:
    before = first.setdefault((row.agency, twins.key), row)
    if twins.same_id is not None:
        return replace(row, existing_id=twins.same_id, problems={NUMBER: f"{row.agency} already has this lease."})
    if before is not row:
        said = f"This lease stands in row {before.row} already."
        return replace(row, first_row=before.row, problems={NUMBER: said})
    return row


def _beside(row: Checked, twins: Twins, crowd: Crowd[Checked]) -> Checked:
    number, doubts = row.lease_number, []
    if twins.similar_id is not None:
        other = Alike(first=str(twins.similar_number), others=twins.similar_count - 1)
        doubts.append(looks_like(row.agency, number, other))
    if alike := crowd.like(row.agency, twins, row):
        first = alike.first
        doubts.append(looks_like_row(number, first.lease_number, row=first.row, others=alike.others))
    return replace(row, similar_id=twins.similar_id, doubts=(*row.doubts, *doubts))


# --- What is not imported -------------------------------------------------------------------------------------------


def left_out_of(rows: Iterable[Row], examined: Examined, *, with_doubtful: bool = True) -> list[LeftOut]:
    """Every row that is not imported, each with all that is wrong with it, in the order of the file.

    The names of the columns are none of them.

    Args:
        with_doubtful: rows that are doubtful are imported.
    """
    by_number = {row.number: row for row in rows}
    found = [row for row in examined.no_leases if not row.is_header]
    for row in examined.checked:
        reasons = [*row.problems.values(), *(() if with_doubtful else row.doubts)]
        if reasons:
            found.append(
                LeftOut(row=row.row, agency=row.agency, lease_number=row.lease_number, reason=" ".join(reasons))
            )
    return [
        replace(each, others=tuple(cell_of(by_number[each.row], column) for column in examined.own_columns))
        for each in sorted(found, key=lambda each: each.row)
    ]


def _left_out(row: Row, mapping: Mapping, reason: str, *, is_header: bool) -> LeftOut:
    return LeftOut(
        row=row.number,
        agency=cell_of(row, mapping.agency),
        lease_number=cell_of(row, mapping.number),
        reason=reason,
        is_header=is_header,
        is_above=row.number < mapping.first_row and not is_header,
    )


def _own_columns(rows: Sequence[Row], mapping: Mapping, header: Row | None) -> dict[int, str]:
    """The columns that are neither of the two, by the names over them, else by their letters; without empty ones."""
    used = sorted({column for row in rows for column, cell in enumerate(row.cells) if cell})
    names = {
        column: (cell_of(header, column) if header else "") or letters(column)
        for column in used
        if column not in {mapping.number, mapping.agency}
    }
    return {column: name for column, name in names.items() if name.casefold() not in OURS}


def _notes(rows: Sequence[Row], mapping: Mapping) -> list[str]:
    others = [f"{letters(column)}" for column in other_number_columns(rows, mapping)]
    if not others or mapping.number is None:
        return []
    columns = "Column" if len(others) == 1 else "Columns"
    seems = "seems" if len(others) == 1 else "seem"
    return [
        f"{columns} {' and '.join(others)} {seems} to hold lease numbers too; those of column {letters(mapping.number)} are read."
    ]
