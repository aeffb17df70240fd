"""Read a CSV or XLSX file that somebody else has written: into rows of text, or one sentence that says what is wrong."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from spreadsheets.cells import is_damaged, text_of_link, tidy
from spreadsheets.delimited import NO_SEPARATOR, SEPARATORS, decoded, lines_of, separator_of, width_of
from spreadsheets.errors import UnreadableFile
from spreadsheets.file_kinds import ZIP, other_package, refuse_markup, refuse_other_kinds
from spreadsheets.workbooks import BOOK, CALCULATED, MAX_COLUMNS, Merged, Sheet, SheetRow, Workbook
from spreadsheets.xml_parts import Package

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
# Of all rows together; a text that stands in many cells counts in each.
MAX_CELLS = 400_000
MAX_TEXT = 10_000_000
# Sheets and merged areas that are called by their names.
NAMED = 3

COLUMNS_CUT = f"Only the first {MAX_COLUMNS} columns are read."
# Where what is told of a row is about no single cell of it.
WHOLE = -1
WIDER = "This row has more cells than most others: see whether a separator stands inside of a text."
DAMAGED = "This cell holds a control character, which cannot be read: type its text again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file.

    Attributes:
        number: the row's number in the file, from 1, as a spreadsheet shows it; of a CSV file the line it begins in.
        cells: without blanks around them; none after the last that holds anything. None at all: what the row holds
            stands to the right of all columns that are read.
        problems: by column, counted from 0, a sentence for each cell that cannot be taken as text.
        doubts: by column, a sentence for each cell that the spreadsheet shows in another way; of the whole row by `WHOLE`.
    """

    number: int
    cells: list[str]
    problems: dict[int, str] = field(default_factory=dict)
    doubts: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a file is to be read, where a person has said so; empty: as it seems.

    Attributes:
        separator: of a CSV file; `NO_SEPARATOR`: it has one column.
        sheet: the name of one of an XLSX file.
    """

    separator: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file holds, without its empty rows.

    Attributes:
        read_as: how it was understood, such as "CSV, UTF-8".
        notes: a sentence for each thing in the file that is not read, or that a person may not expect to be.
        read_by: the separator or the sheet by which it was read.
        sheets: the names of all sheets of an XLSX file.
    """

    read_as: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    read_by: Choices = field(default_factory=Choices)
    sheets: list[str] = field(default_factory=list)


def read_table(*, name: str, content: bytes, choices: Choices | None = None) -> Table:
    """The rows of a file, whose kind its content tells, not its name.

    Args:
        name: the file's, for the sentence that says what is wrong.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    if len(content) > MAX_BYTES:
        raise too_large(f"{len(content) / 1e6:.1f} MB")
    if not content.strip(b" \t\r\n\0"):
        raise UnreadableFile(f"“{name}” is empty. Choose a file that holds a table.")
    read = _workbook if content.startswith(ZIP) else _text_table
    table = read(content, choices or Choices())
    if not table.rows:
        raise UnreadableFile(f"“{name}” has no row with anything in it. Choose a file that holds a table.")
    return table


def too_large(size: str) -> UnreadableFile:
    """Also for who need not read the file to know."""
    return UnreadableFile(f"This file has {size}; at most {MAX_BYTES / 1e6:.0f} MB can be imported at once. Split it.")


def too_many_rows() -> UnreadableFile:
    return UnreadableFile(f"This file has more than {MAX_ROWS:,} rows. Split it into several files.")


def too_much() -> UnreadableFile:
    return UnreadableFile("This file holds too much besides its table. Save only the columns that are needed.")


def _limited(rows: Iterable[Row | None]) -> Iterator[Row]:
    """Those with anything in them."""
    cells = text = 0
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            raise too_many_rows()
        if row is None:
            continue
        cells += len(row.cells)
        text += sum(map(len, row.cells))
        if cells > MAX_CELLS or text > MAX_TEXT:
            raise too_much()
        yield row


def _row(number: int, texts: Sequence[str], *, is_cut: bool, **told: dict[int, str]) -> Row | None:
    """A row as it is kept; none of an empty one."""
    problems, doubts = told.get("problems", {}), told.get("doubts", {})
    cells = []
    for column, text in enumerate(texts[:MAX_COLUMNS]):
        if text.startswith("=") and (shown := text_of_link(text)):
            doubts.setdefault(column, CALCULATED)
            text = shown  # noqa: PLW2901 - what the cell shows
        if not text.isprintable() and is_damaged(text):
            problems.setdefault(column, DAMAGED)
        cells.append(tidy(text))
    while cells and not cells[-1]:
        cells.pop()
    return Row(number=number, cells=cells, problems=problems, doubts=doubts) if cells or is_cut else None


# --- CSV ------------------------------------------------------------------------------------------------------------


def _text_table(content: bytes, choices: Choices) -> Table:
    refuse_other_kinds(content)
    text, encoding = decoded(content)
    refuse_markup(text)
    separator, text = separator_of(text)
    if choices.separator in {NO_SEPARATOR, *SEPARATORS}:
        separator = choices.separator
    notes: set[str] = set()
    rows = list(_limited(_text_rows(text, separator, notes)))
    read_by = Choices(separator=separator)
    return Table(read_as=f"CSV, {encoding}", rows=rows, notes=sorted(notes), read_by=read_by)


def _text_rows(text: str, separator: str, notes: set[str]) -> Iterator[Row | None]:
    width = width_of(text, separator)
    for line, cells in lines_of(text, separator):
        is_cut = any(cell.strip() for cell in cells[MAX_COLUMNS:])
        if is_cut:
            notes.add(COLUMNS_CUT)
        row = _row(line, cells, is_cut=is_cut)
        if row is not None and len(row.cells) > width:
            row.doubts[WHOLE] = WIDER
        yield row


# --- XLSX -----------------------------------------------------------------------------------------------------------


def _workbook(content: bytes, choices: Choices) -> Table:
    """The sheet that was chosen, else the first in sight that holds anything.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    package = Package(content)
    if BOOK not in package:
        raise other_package(package.names)
    book = Workbook(package)
    rows: list[Row] = []
    read: Sheet | None = None
    others = []
    seen = Counter[str]()
    merged: list[Merged] = []
    for sheet in _in_order(book.sheets, choices.sheet):
        found = book.rows(sheet)
        if rows or (sheet.is_hidden and sheet.name != choices.sheet):
            others += [sheet] if next(found, None) else []
        else:
            rows, read = list(_limited(_sheet_rows(found, seen))), sheet
            merged = _fill(rows, book.merged)
    if others and not rows:
        raise UnreadableFile(f"{_not_read(others)} Show the sheet that is wanted in the spreadsheet, and save it.")
    return Table(
        read_as="XLSX",
        rows=rows,
        notes=_notes(seen, others, merged),
        read_by=Choices(sheet=read.name if read else ""),
        sheets=[sheet.name for sheet in book.sheets],
    )


def _in_order(sheets: Iterable[Sheet], chosen: str) -> list[Sheet]:
    """In which they are looked at; what is hidden comes last, unless it was chosen."""
    return sorted(sheets, key=lambda sheet: (sheet.name != chosen, sheet.is_hidden))


def _fill(rows: Sequence[Row], areas: Iterable[Merged]) -> list[Merged]:
    """Let the text of a merged area stand in each of its rows; the areas of which it does now.

    Raises:
        UnreadableFile: that would be too much.
    """
    numbers = [row.number for row in rows]
    cells = text = 0
    filled = []
    for area in areas:
        start = bisect_left(numbers, area.first)
        if start == len(rows) or numbers[start] != area.first or not _text_at(rows[start], area.column):
            continue
        first = rows[start]
        for row in rows[start + 1 : bisect_left(numbers, area.last + 1)]:
            if not area.first < row.number <= area.last:
                continue  # of a sheet whose rows are in no order
            cells += max(1, area.column + 1 - len(row.cells))
            text += len(first.cells[area.column])
            if cells > MAX_CELLS or text > MAX_TEXT:
                raise too_much()
            _copy(first, row, area.column)
        filled.append(area)
    return filled


def _text_at(row: Row, column: int) -> str:
    return row.cells[column] if column < len(row.cells) else ""


def _copy(source: Row, row: Row, column: int) -> None:
    """The text of a cell, with what is told of it, into the same column of another row, if there is none."""
    if _text_at(row, column):
        return
    row.cells.extend([""] * (column + 1 - len(row.cells)))
    row.cells[column] = source.cells[column]
    for from_all, to_all in ((source.problems, row.problems), (source.doubts, row.doubts)):
        if column in from_all:
            to_all[column] = from_all[column]


def _notes(seen: Counter[str], others: Sequence[Sheet], merged: Sequence[Merged]) -> list[str]:
    """What is not read, or may be read by mistake."""
    told = [_not_read(others)] if others else []
    if seen["cut"]:
        told.append(COLUMNS_CUT)
    if hidden := seen["hidden"]:
        told.append(f"{hidden:,} {'row is' if hidden == 1 else 'rows are'} hidden in the spreadsheet, but read.")
    if merged:
        one = len(merged) == 1
        told.append(
            f"Merged cells ({_listed([area.name for area in merged])}): "
            f"the text of {'the area is read in each row of it' if one else 'each area is read in each of its rows'}."
        )
    return told


def _not_read(sheets: Sequence[Sheet]) -> str:
    names = [f"“{sheet.name[:50]}”{' (hidden)' if sheet.is_hidden else ''}" for sheet in sheets]
    return f"The sheet{'' if len(names) == 1 else 's'} {_listed(names)} {'is' if len(names) == 1 else 'are'} not read."


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED:,} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sheet_rows(rows: Iterable[SheetRow], seen: Counter[str]) -> Iterator[Row | None]:
    """The rows, of which is counted what a person may not expect."""
    for row in rows:
        seen.update(cut=row.is_cut, hidden=row.is_hidden)
        texts = [""] * (max(row.cells, default=-1) + 1)
        for column, cell in row.cells.items():
            texts[column] = cell.text
        yield _row(
            row.number,
            texts,
            is_cut=row.is_cut,
            problems={column: cell.problem for column, cell in row.cells.items() if cell.problem},
            doubts={column: cell.doubt for column, cell in row.cells.items() if cell.doubt},
        )
