"""What a row says of whose lease it is, where one agency was chosen for the whole file: never overridden in silence."""

from collections.abc import Iterator, Sequence

from leases.agency_numbers import agency_by_form
from leases.agency_words import Words, agency_of, likely_agency
from leases.columns import AGENCY, LESSOR, cell_of, columns_called, columns_of_agencies, is_name
from leases.models import Agency
from spreadsheets.tables import Row


class OtherAgency:
    """Looks for another agency than the one that was chosen, in the columns of one file that may name it."""

    def __init__(self, rows: Sequence[Row], words: Words, *, number: int | None) -> None:
        """
        Args:
            words: what is known to mean an agency.
            number: the column of lease numbers, which names none.
        """
        self._words = words
        named = {column: name for column, name in columns_called(rows).items() if column != number}
        self._agencies = [column for column, name in named.items() if is_name(name, AGENCY)]
        lessors = [column for column, name in named.items() if is_name(name, LESSOR)]
        by_cells = [column for column in columns_of_agencies(rows, words) if column != number]
        self._columns = list(dict.fromkeys([*self._agencies, *lessors, *by_cells]))
        self._named_agency = {column for column in self._agencies if "agency" in named[column].casefold()}

    def doubts(self, row: Row, *, number: str, chosen: str) -> Iterator[str]:
        """A sentence for what the row says itself, in a cell or by the form of its number."""
        for column in self._columns:
            cell = cell_of(row, column)
            if cell and self._is_other(cell, column, chosen):
                yield f"The file says “{cell}” in this row, but {chosen} was chosen for every lease."
        if (formed := agency_by_form(number)) and formed != chosen:
            yield f"“{number}” is written like a lease of {formed}, but {chosen} was chosen for every lease."

    def _is_other(self, cell: str, column: int, chosen: str) -> bool:
        meant = agency_of(cell, self._words)
        if meant not in Agency:
            # Nobody has said what it means; under such a name it is some agency all the same.
            meant = likely_agency(cell) or (cell if column in self._named_agency else "")
        return bool(meant) and meant != chosen
