"""Which column of a file holds what: guessed by the names over the columns as much as by what stands below them."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from leases.agency_words import Words, agency_of, own_names
from leases.models import Agency
from spreadsheets.tables import Row

# Rows in which the names of the columns may stand, and those whose cells are looked at.
HEADER_WITHIN = 10
LOOKED_AT = 200
NUMBER, AGENCY, LESSOR = "lease_number", "agency", "lessor"
ALPHABET = 26
# Of what looks like a lease number, in characters.
LONGEST = 30
# Of the cells of a column that hold anything.
MOST, HALF = 0.8, 0.5

# As `_name` makes them; those that say most come first.
_NAMES = {
    NUMBER: (
        *("leasenumber", "leasenumbers", "leaseno", "leasenum", "leasenr", "leaseserialnumber", "leaseserialno"),
        *("leaseserial", "legacyserialnumber", "legacyserialno", "legacyserial", "serialnumber", "serialno"),
        *("serialnum", "serialnr", "mlrsserialnumber", "mlrsserialno", "mlrsserial", "csenr", "casenr", "casenumber"),
        *("caseno", "caseserialnumber", "caseserialno", "serial", "leaseid", "lease", "leases", "number"),
    ),
    # A lessor is who lets the land, which may be anybody: such a column counts by its cells only.
    AGENCY: (
        *("agency", "agencycode", "agencyname", "leaseagency", "leasingagency", "issuingagency", "managingagency"),
        *("administeringagency", "adminagency", "office"),
    ),
    # Never one by its name, nor by words that somebody has said the meaning of: they may hold for another column.
    LESSOR: (
        *("lessor", "lessors", "lessorname", "owner", "ownername", "ownership", "landowner", "mineralowner"),
        *("surfaceowner", "jurisdiction", "grantor"),
    ),
}
# Inside of longer names, such as “BLM Serial No. (MLRS)”.
_PARTS = {
    NUMBER: ("leasenumber", "leaseno", "leaseserial", "serialnumber", "serialno", "serialnr", "csenr"),
    AGENCY: (),
    LESSOR: (),
}
_DIGIT = re.compile(r"\d")
# Short words and at least three digits, such as “NMNM 0501759” and “B0-1234-5”; never a sentence or a county.
_LEASE = re.compile(r"(?=(?:\D*\d){3})(?!.*[a-z]{6})[a-z][a-z\d ._-]{2,29}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column is which, counted from 0.

    Attributes:
        number: the column of lease numbers; None: not known yet.
        agency: the column of agencies; None: all are of one.
        agency_of_all: that one, if it is known; beside a column, that of rows in which the column is empty.
        first_row: the number of the first row that is a lease.
    """

    number: int | None = None
    agency: int | None = None
    agency_of_all: str = ""
    first_row: int = 1

    @property
    def is_complete(self) -> bool:
        return self.number is not None and (self.agency is not None or self.agency_of_all in Agency)


def guess_mapping(rows: Sequence[Row]) -> Mapping:
    """Which column is which, as far as it can be told.

    A row of names is one by the names in it and by the column below, since a lease may be of the type “Lease”. Of what
    agencies are called only their own names count: else a word that somebody has said the meaning of for one file would
    make another one's column of lessors that of the agencies, or its column “State” a lease.
    """
    header = names_row(rows)
    body = [row for row in rows[:LOOKED_AT] if row is not header]
    names = [_name(cell) for cell in header.cells] if header else []
    agency = _agency_column(names, body)
    number = _number_column(names, body, agency)
    return Mapping(number=number, agency=agency, first_row=_first_row(rows, header, number))


def names_row(rows: Sequence[Row]) -> Row | None:
    """The row of the columns' names, if their names are known."""
    for row in rows[:HEADER_WITHIN]:
        names = [_name(cell) for cell in row.cells]
        below = [each for each in rows[:LOOKED_AT] if each.number > row.number]
        if _has_agency(row):
            continue
        may_be_first = row is rows[0] and not any(map(looks_like_lease, row.cells))
        if any(_holds_numbers(below, column) or may_be_first for column in _named(names, NUMBER)):
            return row
        if any(_share_of_agencies(below, column) for column in _named(names, AGENCY)):
            return row
    return None


def header_row(rows: Sequence[Row], mapping: Mapping) -> Row | None:
    """The row of the columns' names: by them, by what stands below, or because the first lease stands right below it."""
    assert mapping.number is not None
    if found := names_row(rows) or unnamed_row(rows, mapping.number):
        return found
    above = [row for row in rows[:HEADER_WITHIN] if row.number < mapping.first_row]
    if not above or _DIGIT.search(cell_of(above[-1], mapping.number)) or _has_agency(above[-1]):
        return None
    return above[-1]


def other_number_columns(rows: Sequence[Row], mapping: Mapping) -> list[int]:
    """Columns that are called as if they held lease numbers too, and hold some."""
    header = names_row(rows)
    if header is None:
        return []
    named = _named([_name(cell) for cell in header.cells], NUMBER)
    below = [row for row in rows[:LOOKED_AT] if row.number > header.number]
    return [column for column in named if column != mapping.number and _share(below, column, looks_like_lease) >= HALF]


def columns_called(rows: Sequence[Row]) -> dict[int, str]:
    """The names over the columns, by column; empty if their row is not known."""
    header = names_row(rows)
    return dict(enumerate(header.cells)) if header else {}


def columns_of_agencies(rows: Sequence[Row], words: Words) -> list[int]:
    """Those of which most cells mean an agency by these words, whatever they are called."""
    looked_at = rows[:LOOKED_AT]
    return [column for column in range(width(looked_at)) if _share_of_agencies(looked_at, column, words) >= HALF]


def looks_like_lease(cell: str) -> bool:
    """Whether it is written as most lease numbers are; one that is not may be one all the same."""
    return len(cell) <= LONGEST and _LEASE.fullmatch(cell) is not None


def is_name(cell: str, meaning: str) -> bool:
    """Whether a column of that meaning may be called so."""
    return bool(_named([_name(cell)], meaning))


def same_name(one: str, other: str) -> bool:
    """Whether two cells are one name of a column."""
    return bool(_name(one)) and _name(one) == _name(other)


def cell_of(row: Row, column: int | None) -> str:
    """What stands there, or nothing."""
    return row.cells[column] if column is not None and column < len(row.cells) else ""


def letters(column: int) -> str:
    """A, B, … Z, AA, AB, … as a spreadsheet names its columns."""
    more, last = divmod(column, ALPHABET)
    return (letters(more - 1) if more else "") + chr(ord("A") + last)


def width(rows: Sequence[Row]) -> int:
    """How many columns there are."""
    return max((len(row.cells) for row in rows), default=0)


def _name(cell: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", cell).casefold())


def _named(names: Sequence[str], meaning: str) -> list[int]:
    """The columns of that meaning; the names that say most come first."""
    whole = [names.index(name) for name in _NAMES[meaning] if name in names]
    more = [column for part in _PARTS[meaning] for column, name in enumerate(names) if part in name]
    return list(dict.fromkeys([*whole, *more]))


def _number_column(names: Sequence[str], body: Sequence[Row], agency: int | None) -> int | None:
    named = [column for column in _named(names, NUMBER) if column != agency]
    likely = [column for column in named if _holds_numbers(body, column)]
    if likely or (named and not body):
        return (likely or named)[0]
    widest = width(body)
    # The first row may hold names that nobody knows.
    body = body if names else body[1:] or body
    shaped = [column for column in range(widest) if column != agency and _share(body, column, looks_like_lease) >= MOST]
    if len(shaped) == 1 and len(list(_cells(body, shaped[0]))) >= HALF * len(body):
        return shaped[0]
    if named:
        return named[0]
    if agency is not None and widest == 2:  # noqa: PLR2004 - the one and the other
        return 1 - agency
    return 0 if widest == 1 and agency is None else None


def _agency_column(names: Sequence[str], body: Sequence[Row]) -> int | None:
    """By its cells where they tell, else by its name: its words may be ones that nobody has said the meaning of."""
    shares = {column: _share_of_agencies(body, column) for column in range(width(body))}
    named = _named(names, AGENCY)
    if named and (shares.get(named[0]) or not any(share >= HALF for share in shares.values())):
        return named[0]
    column = max(shares, key=lambda each: shares[each], default=None)
    if column is None or not shares[column] or (names and shares[column] < HALF):
        return None
    return column


def _first_row(rows: Sequence[Row], header: Row | None, number: int | None) -> int:
    """Below the names of the columns, but above no lease; where no name is known, at the first row with a number."""
    if header is None and number is not None:
        header = unnamed_row(rows, number)
    if header is None:
        return rows[0].number
    above = (row for row in rows[:HEADER_WITHIN] if row.number < header.number)
    leases = (row.number for row in above if number is not None and looks_like_lease(cell_of(row, number)))
    return next(leases, header.number + 1)


def unnamed_row(rows: Sequence[Row], number: int) -> Row | None:
    """The last row before the first that has a digit in the column of numbers, if most of these have one."""
    last = None
    if not _holds_numbers(rows[:LOOKED_AT], number):
        return None
    for row in rows[:HEADER_WITHIN]:
        cell = cell_of(row, number)
        if _DIGIT.search(cell) or _has_agency(row):
            break
        last = row if cell else last
    return last


def _has_agency(row: Row) -> bool:
    return any(agency_of(cell, own_names()) in Agency for cell in row.cells)


def _cells(rows: Sequence[Row], column: int) -> Iterator[str]:
    """Those of the column that hold anything."""
    return (row.cells[column] for row in rows if column < len(row.cells) and row.cells[column])


def _share(rows: Sequence[Row], column: int, is_wanted: Callable[[str], bool]) -> float:
    cells = list(_cells(rows, column))
    return sum(map(is_wanted, cells)) / len(cells) if cells else 0.0


def _holds_numbers(rows: Sequence[Row], column: int) -> bool:
    """Whether most of its cells have a digit."""
    return _share(rows, column, lambda cell: _DIGIT.search(cell) is not None) >= HALF


def _share_of_agencies(rows: Sequence[Row], column: int, words: Words | None = None) -> float:
    known = words or own_names()
    return _share(rows, column, lambda cell: agency_of(cell, known) in Agency)
