"""Read a CSV or XLSX file that somebody else has written: into rows of text, or one sentence that says what is wrong."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from leases.errors import UnreadableFile
from leases.exports import defused
from leases.packages import Package
from leases.workbooks import BOOK, MAX_COLUMNS, Sheet, SheetRow, Workbook

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
# Of all rows together; a text that stands in many cells counts in each.
MAX_CELLS = 400_000
MAX_TEXT = 10_000_000
MAX_CELL = 500
# Sheets that are called by their names.
NAMED = 3
SEPARATORS = ",;\t|"

ZIP, OLE, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
BINARY = "This is no table: the file is neither CSV nor XLSX. Save the table as one of these, and choose that file."
COLUMNS_CUT = f"Only the first {MAX_COLUMNS} columns are read."
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file.

    Attributes:
        number: the row's number in the file, from 1, as a spreadsheet shows it; of a CSV file the line it begins in.
        cells: without blanks around them; none after the last that holds anything.
        problems: by column, counted from 0, a sentence for each cell that cannot be taken as text.
        doubts: by column, a sentence for each cell that the spreadsheet shows in another way.
    """

    number: int
    cells: list[str]
    problems: dict[int, str] = field(default_factory=dict)
    doubts: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file holds, without its empty rows.

    Attributes:
        read_as: how it was understood, such as "CSV, UTF-8".
        notes: a sentence for each thing in the file that is not read, or that a person may not expect to be.
    """

    read_as: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)


def read_table(*, name: str, content: bytes) -> Table:
    """The rows of a file, whose kind its content tells, not its name.

    Args:
        name: the file's, for the sentence that says what is wrong.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    if len(content) > MAX_BYTES:
        raise too_large(f"{len(content) / 1e6:.1f} MB")
    if not content.strip(b" \t\r\n\0"):
        raise UnreadableFile(f"“{name}” is empty. Choose a file with one lease in each row.")
    table = _workbook(content) if content.startswith(ZIP) else _text_table(content)
    if not table.rows:
        raise UnreadableFile(f"“{name}” has no row with anything in it. Choose a file with one lease in each row.")
    return table


def too_large(size: str) -> UnreadableFile:
    """Also for who need not read the file to know."""
    return UnreadableFile(f"This file has {size}; at most {MAX_BYTES / 1e6:.0f} MB can be imported at once. Split it.")


def too_many_rows() -> UnreadableFile:
    return UnreadableFile(f"This file has more than {MAX_ROWS:,} rows. Split it into several files.")


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    """Those with anything in them."""
    cells = text = 0
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            raise too_many_rows()
        cells += len(row.cells)
        text += sum(map(len, row.cells))
        if cells > MAX_CELLS or text > MAX_TEXT:
            raise UnreadableFile(
                "This file holds too much besides lease numbers. Save only the columns with the leases."
            )
        if row.cells:
            yield row


# --- CSV ------------------------------------------------------------------------------------------------------------


def _text_table(content: bytes) -> Table:
    text, encoding = _decoded(content)
    separator, text = _separator(text)
    notes: set[str] = set()
    rows = list(_limited(_text_rows(text, separator, notes)))
    return Table(read_as=f"CSV, {encoding}", rows=rows, notes=sorted(notes))


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(OLE):
        raise UnreadableFile("This is an old Excel file (.xls), or one with a password. Save it as .xlsx without one.")
    if content.startswith(PDF):
        raise UnreadableFile("This is a PDF file. Save the table as CSV or XLSX, and choose that file.")
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if CONTROLS.search(text):
            raise UnreadableFile(BINARY)
        return text, NAMES.get(encoding, "UTF-16")
    if CONTROLS.search(content.decode("latin-1")):  # such as a picture
        raise UnreadableFile(BINARY)
    raise UnreadableFile(
        "The characters of this file are in none of the encodings UTF-8, UTF-16 and Windows-1252. "
        "Save it as “CSV UTF-8”, and choose that file."
    )


def _encodings(content: bytes) -> list[str]:
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return [encoding]
    # In UTF-16, every other byte of ordinary text is zero; in the other two, none is.
    head = content[:1_000]
    zeros = (head[0::2].count(0), head[1::2].count(0))
    if max(zeros) * 4 > len(head) and min(zeros) * 10 < max(zeros):
        return ["utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"]
    return ["utf-8", "cp1252"]


def _separator(text: str) -> tuple[str, str]:
    """What stands between the cells, and the text without the line in which Excel says so."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and first[4:5] in SEPARATORS and first[4:5]:
        return first[4], f"\n{rest}"
    # Of the first lines, since a title may stand over the table.
    head = "\n".join(text.splitlines()[:20])
    return max(SEPARATORS, key=head.count), text


def _text_rows(text: str, separator: str, notes: set[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells[MAX_COLUMNS:]):
                notes.add(COLUMNS_CUT)
            yield Row(number=line, cells=_tidied(cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"The row that begins in line {line} cannot be read: {_csv_problem(error)}") from None


def _csv_problem(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell has more than {csv.field_size_limit():,} characters. Shorten it, or see whether a quotation mark is missing."
    return "a quotation mark is missing or too many. Correct it."


# --- XLSX -----------------------------------------------------------------------------------------------------------


def _workbook(content: bytes) -> Table:
    """The first sheet in sight that holds anything.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    package = Package(content)
    if BOOK not in package:
        raise UnreadableFile(BINARY)
    book = Workbook(package)
    rows: list[Row] = []
    others = []
    seen = Counter[str]()
    for sheet in sorted(book.sheets, key=lambda sheet: sheet.is_hidden):
        found = book.rows(sheet)
        if rows or sheet.is_hidden:
            others += [sheet] if next(found, None) else []
        else:
            rows = list(_limited(_sheet_rows(found, seen)))
    if others and not rows:
        raise UnreadableFile(f"{_not_read(others)} Show the sheet with the leases in the spreadsheet, and save it.")
    return Table(read_as="XLSX", rows=rows, notes=_notes(seen, others))


def _notes(seen: Counter[str], others: Sequence[Sheet]) -> list[str]:
    """What is not read, or may be read by mistake."""
    told = [_not_read(others)] if others else []
    if seen["cut"]:
        told.append(COLUMNS_CUT)
    if hidden := seen["hidden"]:
        told.append(f"{hidden:,} {'row is' if hidden == 1 else 'rows are'} hidden in the spreadsheet, but read.")
    return told


def _not_read(sheets: Sequence[Sheet]) -> str:
    names = [f"“{sheet.name[:50]}”{' (hidden)' if sheet.is_hidden else ''}" for sheet in sheets]
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED} more"]
    if len(names) == 1:
        return f"The sheet {names[0]} is not read."
    return f"The sheets {', '.join(names[:-1])} and {names[-1]} are not read."


def _sheet_rows(rows: Iterable[SheetRow], seen: Counter[str]) -> Iterator[Row]:
    """The rows, of which is counted what a person may not expect."""
    for row in rows:
        seen.update(cut=row.is_cut, hidden=row.is_hidden)
        texts = [""] * (max(row.cells, default=-1) + 1)
        for column, cell in row.cells.items():
            texts[column] = cell.text
        yield Row(
            number=row.number,
            cells=_tidied(texts),
            problems={column: cell.problem for column, cell in row.cells.items() if cell.problem},
            doubts={column: cell.doubt for column, cell in row.cells.items() if cell.doubt},
        )


def _tidied(cells: Sequence[str]) -> list[str]:
    texts = [_tidy(cell) for cell in cells[:MAX_COLUMNS]]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _tidy(cell: str) -> str:
    """Without blanks around it, and without the apostrophe by which an export keeps it from being a formula."""
    text = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", cell.strip())
    if text.startswith("'") and defused(text[1:]) == text:
        text = text[1:]
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
