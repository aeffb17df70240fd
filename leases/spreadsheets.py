"""Read a CSV or XLSX file that somebody else has written: into rows of text, or one sentence that says what is wrong."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from leases.errors import UnreadableFile
from leases.exports import defused

MAX_BYTES = 10_000_000
# What an XLSX file may hold once it is unpacked: a small file can be a very large one, folded.
MAX_UNPACKED_BYTES = 200_000_000
MAX_ROWS = 20_000
EMPTY_ROWS = 100_000
MAX_COLUMNS = 50
MAX_CELL = 500
SEPARATORS = ",;\t|"

ZIP, OLE, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
BINARY = "This is no table: the file is neither CSV nor XLSX. Save the table as one of these, and choose that file."
BROKEN = "This XLSX file is broken. Open it in the program that wrote it, save it again, and choose that file."
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
# What openpyxl raises for a damaged file, apart from its own error.
DAMAGED = (
    InvalidFileException,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    TypeError,
    ValueError,  # among them what defusedxml forbids
)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file.

    Attributes:
        number: the row's number in the file, from 1, as a spreadsheet shows it; of a CSV file the line it begins in.
        cells: without blanks around them; none after the last that holds anything.
    """

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file holds, without its empty rows.

    Attributes:
        read_as: how it was understood, such as "CSV, UTF-8".
    """

    read_as: str
    rows: list[Row]


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
    read_as, found = _workbook(content) if content.startswith(ZIP) else _text_table(content)
    rows = [row for row in _limited(found) if row.cells]
    if not rows:
        raise UnreadableFile(f"“{name}” has no row with anything in it. Choose a file with one lease in each row.")
    return Table(read_as=read_as, rows=rows)


def too_large(size: str) -> UnreadableFile:
    """Also for who need not read the file to know."""
    return UnreadableFile(f"This file has {size}; at most {MAX_BYTES / 1e6:.0f} MB can be imported at once. Split it.")


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            raise UnreadableFile(f"This file has more than {MAX_ROWS:,} rows. Split it into several files.")
        yield row


# --- CSV ------------------------------------------------------------------------------------------------------------


def _text_table(content: bytes) -> tuple[str, Iterator[Row]]:
    text, encoding = _decoded(content)
    separator, text = _separator(text)
    return f"CSV, {encoding}", _text_rows(text, separator)


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


def _text_rows(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield _row(line, cells)
            line = reader.line_num + 1
    except csv.Error:
        raise UnreadableFile(
            f"The row that begins in line {line} cannot be read: a quotation mark is missing or too many. Correct it."
        ) from None


# --- XLSX -----------------------------------------------------------------------------------------------------------


def _workbook(content: bytes) -> tuple[str, Iterator[Row]]:
    _check_package(content)
    return "XLSX", _sheet_rows(content)


def _check_package(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = {part.filename: part.file_size for part in package.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnreadableFile(BROKEN) from None
    if "xl/workbook.xml" not in parts:
        raise UnreadableFile(BINARY)
    if sum(parts.values()) > MAX_UNPACKED_BYTES:
        raise UnreadableFile("This XLSX file is too large once it is unpacked. Save only the table with the leases.")


def _sheet_rows(content: bytes) -> Iterator[Row]:
    """The rows of the first sheet that has any."""
    try:
        # Formulas, not the values they had when they were last calculated: whoever reads should see what is imported.
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the file says of its own size need not be true
            rows = islice(sheet.iter_rows(values_only=True), EMPTY_ROWS + MAX_ROWS)
            found = [row for number, cells in enumerate(rows, 1) if (row := _row(number, cells)).cells]
            if found:
                return iter(found)
    except DAMAGED as error:
        raise UnreadableFile(BROKEN) from error
    return iter([])


def _row(number: int, cells: Sequence[Any]) -> Row:
    texts = [_text(cell) for cell in cells[:MAX_COLUMNS]]
    while texts and not texts[-1]:
        texts.pop()
    return Row(number=number, cells=texts)


def _text(cell: Any) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return _tidy(str(cell))


def _tidy(cell: str) -> str:
    """Without blanks around it, and without the apostrophe by which an export keeps it from being a formula."""
    text = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", cell.strip())
    if text.startswith("'") and defused(text[1:]) == text:
        text = text[1:]
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
