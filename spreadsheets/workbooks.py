"""The sheets, rows and cells of an XLSX file, as a person sees them."""

import math
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from spreadsheets.errors import UnreadableFile
from spreadsheets.xml_parts import BROKEN, Node, Package

BOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
MAX_SHEETS = 200
MAX_ROW = 1_048_576
# Cells to the right of it are not looked at.
MAX_COLUMNS = 50
# Merged areas of a sheet.
MAX_MERGED = 20_000
# Of a text that stands in thousands of cells.
MAX_STRING = 1_000

# Formats of dates that have no code of their own in the file; the others are in openpyxl's list.
DATES = {*range(27, 37), *range(50, 59)}
PLAIN = {"General", "0", "@", "#"}
# Spreadsheets keep no more digits.
EXACT_BELOW = 1e15

DATE = "This cell is a date or a time, not text: write the value in it as text."
CALCULATED = (
    "This cell is a formula; its text is the one that it had when the file was last saved: see whether it is right."
)
BOOLEAN = "This cell is true or false, not text: write the value in it as text."
INEXACT = "This cell is a number that a spreadsheet does not keep exactly: write the value in it as text."
UNKNOWN = "This cell holds neither text nor a number: write the value in it as text."
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Kinds of cells.
TEXTS = {"s", "str", "inlineStr", "e"}
PROBLEMS = {"b": BOOLEAN, "d": DATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    name: str
    part: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell as a person reads it.

    Attributes:
        problem: a sentence, if it is no text and no number.
        doubt: a sentence, if the spreadsheet shows it in another way.
    """

    text: str
    problem: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A row with anything in it.

    Attributes:
        cells: by their column, counted from 0.
        is_cut: there are more to the right of those that are looked at.
    """

    number: int
    cells: dict[int, Cell]
    is_hidden: bool
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A column of an area that is shown as one cell; its text stands in the first row only.

    Attributes:
        column: counted from 0; the first of the area.
        first, last: numbers of rows.
        name: such as A2:A4.
    """

    column: int
    first: int
    last: int
    name: str


class Workbook:
    """One file.

    Raises:
        UnreadableFile: here and wherever something of it is read: it is broken, or too much.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        self._epoch = WINDOWS_EPOCH
        # Where they usually are; most files say so, too.
        self._shared = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
        self.sheets = self._sheets()
        # Of the sheet that was read last; known once its rows are.
        self.merged: list[Merged] = []

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """Those with anything in them, as they are asked for; once for each sheet."""
        number = 0
        self.merged = []
        for row in self._package.elements(sheet.part, "row", "mergeCell"):
            try:
                if row.name == "mergeCell":
                    self._merge(row.attributes["ref"])
                    continue
                number = int(row.attributes.get("r", number + 1))
                cells = self._cells(row)
            except (LookupError, ValueError) as error:
                raise UnreadableFile(BROKEN) from error
            if not 0 < number <= MAX_ROW:
                raise UnreadableFile(BROKEN)
            if cells:
                read = {column: cell for column, cell in cells.items() if column < MAX_COLUMNS}
                hidden = row.attributes.get("hidden") in {"1", "true"}
                yield SheetRow(number=number, cells=read, is_hidden=hidden, is_cut=len(read) < len(cells))

    def _merge(self, area: str) -> None:
        """Remember an area of several rows; one of several columns is a title."""
        start, _, end = area.partition(":")
        column, first, last = _column(start.rstrip(_DIGITS)), _row_number(start), _row_number(end or start)
        if first < last and column < MAX_COLUMNS:
            self.merged.append(Merged(column=column, first=first, last=last, name=area))
        if len(self.merged) > MAX_MERGED:
            raise UnreadableFile(f"This file has more than {MAX_MERGED:,} merged areas. Undo the merging, and save it.")

    def _sheets(self) -> list[Sheet]:
        parts: dict[str, str] = {}
        for node in self._package.elements(RELATIONS, "Relationship"):
            kind = node.attributes.get("Type", "").rpartition("/")[2]
            part = posixpath.normpath(posixpath.join("/xl", node.attributes.get("Target", ""))).lstrip("/")
            if kind == "worksheet":
                parts[node.attributes.get("Id", "")] = part
            elif kind in self._shared:
                self._shared[kind] = part
        sheets = []
        for node in self._package.elements(BOOK, "sheet", "workbookPr"):
            if node.attributes.get("date1904") in {"1", "true"}:
                self._epoch = MAC_EPOCH
            relation = next((value for key, value in node.attributes.items() if key.endswith(" id")), "")
            if part := parts.get(relation, ""):
                hidden = node.attributes.get("state", "visible") != "visible"
                sheets.append(Sheet(name=node.attributes.get("name", ""), part=part, is_hidden=hidden))
        if not sheets:
            raise UnreadableFile(BROKEN)
        if len(sheets) > MAX_SHEETS:
            raise UnreadableFile(f"This file has more than {MAX_SHEETS} sheets. Save only the one that is wanted.")
        return sheets

    @cached_property
    def _strings(self) -> list[str]:
        return [_string(node) for node in self._of_all("sharedStrings", "si")]

    @cached_property
    def _formats(self) -> list[tuple[str, bool]]:
        """Of each style, the format of numbers, and whether it makes dates of them."""
        codes: dict[int, str] = {}
        formats: list[tuple[str, bool]] = []
        for node in self._of_all("styles", "numFmt", "cellXfs"):
            if node.name == "numFmt":
                codes.setdefault(int(node.attributes["numFmtId"]), node.attributes["formatCode"])
                continue
            for style in node.children:
                number = int(style.attributes.get("numFmtId", 0))
                code = codes.get(number, BUILTIN_FORMATS.get(number, "General"))
                formats.append((code, number in DATES or is_date_format(code) or is_timedelta_format(code)))
        return formats

    def _of_all(self, kind: str, *wanted: str) -> Iterator[Node]:
        """The elements of a part that all sheets share, if there is one."""
        part = self._shared[kind]
        return self._package.elements(part, *wanted) if part in self._package else iter(())

    def _cells(self, row: Node) -> dict[int, Cell]:
        cells: dict[int, Cell] = {}
        column = -1
        for node in row.children:
            column = _place(node, column + 1)
            # One of those that are not looked at is enough to know that there are some.
            if (column < MAX_COLUMNS or max(cells, default=0) < MAX_COLUMNS) and (cell := self._cell(node)):
                cells[column] = cell
        return cells

    def _cell(self, node: Node) -> Cell | None:
        formula = node.child("f")
        stored = self._stored(node)
        if formula is None:
            return stored
        if stored is None:
            return Cell(text=f"={formula.text[:MAX_STRING]}")
        # The spreadsheet shows what it had when it was last calculated, and what it is made of may have changed since.
        return stored if stored.problem else replace(stored, doubt=f"{CALCULATED} {stored.doubt}".strip())

    def _stored(self, node: Node) -> Cell | None:
        kind, text = node.attributes.get("t", "n"), _content(node)
        if kind == "s" and text:
            text = self._strings[int(text)]
        if not text:
            return None
        if kind == "n":
            return self._number(text, int(node.attributes.get("s", 0)))
        if kind == "b":
            text = "TRUE" if text == "1" else "FALSE"
        return Cell(text=text, problem="" if kind in TEXTS else PROBLEMS.get(kind, UNKNOWN))

    def _number(self, text: str, style: int) -> Cell:
        number = float(text)
        code, is_date = self._formats[style] if self._formats else ("General", False)
        if is_date:
            return Cell(text=self._date(number), problem=DATE)
        shown = f"{number:.15g}"
        if not math.isfinite(number) or abs(number) >= EXACT_BELOW or "e" in shown:
            return Cell(text=shown, problem=INEXACT)
        is_whole = number.is_integer()
        if is_whole and number >= 0 and re.fullmatch("0+", code):
            return Cell(text=shown.zfill(len(code)))
        if code == "General" or (is_whole and code in PLAIN):
            return Cell(text=shown)
        return Cell(
            text=shown,
            doubt=f"The spreadsheet shows it in another way, by the format “{code[:50]}”: see whether {shown} is meant.",
        )

    def _date(self, number: float) -> str:
        try:
            found = from_excel(number, self._epoch)
        except (OverflowError, ValueError):
            return f"{number:.15g}"
        return str(found.date() if isinstance(found, datetime) and number.is_integer() else found)


def _content(cell: Node) -> str:
    inline, value = cell.child("is"), cell.child("v")
    if inline is not None:
        return _string(inline)
    return value.text[:MAX_STRING] if value is not None else ""


def _string(node: Node) -> str:
    """A text, whose parts may look different; how it is pronounced is no part of it."""
    runs = [run for child in node.children for run in (child.children if child.name == "r" else [child])]
    text = ""
    for run in runs:
        if run.name == "t" and len(text) < MAX_STRING:
            text += run.text[:MAX_STRING]
    return text[:MAX_STRING]


def _row_number(cell: str) -> int:
    """Of a cell such as AB12."""
    return int(cell.lstrip(_LETTERS))


def _place(cell: Node, place: int) -> int:
    """The column, counted from 0, of a cell such as AB12; of one that does not say so, the given one."""
    return _column(cell.attributes["r"].rstrip(_DIGITS)) if "r" in cell.attributes else place


@lru_cache(1_000)
def _column(letters: str) -> int:
    """The place of a column such as AB, counted from 0.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise ValueError(letters)
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1
