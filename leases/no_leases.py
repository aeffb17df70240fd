"""Rows of a file that are no leases: names of columns, totals, page numbers, notes. Each is told with the reason."""

import re

from leases.agency_words import Words, agency_of
from leases.columns import AGENCY, NUMBER, Mapping, cell_of, is_name, looks_like_lease, same_name
from leases.models import Agency
from spreadsheets.tables import Row
from spreadsheets.workbooks import MAX_COLUMNS

HEADER = "These are the names of the columns."
UNNAMED = "These are the names of the columns, most likely: no digit stands here, where the others have lease numbers."
REPEATED = "The names of the columns are repeated here."
BEYOND = f"It holds something only to the right of the first {MAX_COLUMNS} columns, which is not read."
NEITHER = "Neither an agency nor a lease number stands in this row."

_SHOWN = 60
# What reports write around their tables.
_TOTAL = "a total"
_PATTERNS = {
    _TOTAL: r"(grand |sub-?\s?|report )?totals?\b.*|(number|count|sum) of .*|((row|record|lease|item)s? )?count\W*\d*",
    "a page number": r"page\W*\d+(\s?(of|/)\s?\d+)?\W*|\d+ of \d+",
    "the date of a report": (
        r"((run|print|printed|report|data|file|export|exported|effective|created|generated|current) ?)?"
        r"(date|time)\b[^\d]*\d.*|as of\b[^\d]*\d.*"
        r"|(printed|generated|exported|created|downloaded|prepared|compiled|run) (on|at|by|from)\b.*"
    ),
    "the end of a report": r"\W*(end|bottom) of (the )?(report|file|list|table|data|page|document)\b.*",
    "a count": r"\(?\d+ (rows?|records?|leases?|items?|results?)\b.*",
    "a note": (
        r"(notes?|remarks?|source|disclaimer|comments?|legend|key|report|query|filter|criteria)\s?:.*"
        r"|\*+[^*]+\**|\W*(©|\(c\)|copyright\b|confidential\b).*"
    ),
    "a line": r"[*=_~#.\s\u2013\u2014-]{3,}",
}
_NO_LEASES = {kind: re.compile(pattern, re.IGNORECASE | re.DOTALL) for kind, pattern in _PATTERNS.items()}
# All of them at once, since most rows are none of them.
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS.values()), re.IGNORECASE | re.DOTALL)
_DIGIT = re.compile(r"\d")


def why_no_lease(row: Row, mapping: Mapping, header: Row | None, words: Words) -> str:
    """Why the row is no lease; empty: it is one, or should be.

    Args:
        header: the row of the columns' names, if there is one.
    """
    if header is not None and row.number == header.number:
        return HEADER if is_name(cell_of(row, mapping.number), NUMBER) else UNNAMED
    if not row.cells:
        return BEYOND
    if _repeats_names(row, mapping, header):
        return REPEATED
    if row.number < mapping.first_row:
        return f"It stands above the first row with a lease, which is row {mapping.first_row}."
    number = cell_of(row, mapping.number)
    if header is not None and row.number < header.number and not looks_like_lease(number):
        return f"It stands above the names of the columns, which are in row {header.number}."
    return _of_report(row, mapping, words)


def _repeats_names(row: Row, mapping: Mapping, header: Row | None) -> bool:
    number = cell_of(row, mapping.number)
    if not number or _DIGIT.search(number):
        return False
    if header is not None and same_name(number, cell_of(header, mapping.number)):
        return True
    is_agency = mapping.agency is None or is_name(cell_of(row, mapping.agency), AGENCY)
    return is_agency and is_name(number, NUMBER)


def _of_report(row: Row, mapping: Mapping, words: Words) -> str:
    """What a report writes around its table, in the place of the number or at the beginning of the row."""
    number, agency = cell_of(row, mapping.number), cell_of(row, mapping.agency)
    if kind := _kind(number):
        return f"“{_shortened(number)}” is no lease: it looks like {kind}."
    if looks_like_lease(number) or agency_of(agency, words) in Agency:
        return ""
    first = next((cell for cell in row.cells if cell), "")
    kind = _kind(first)
    # Beside a number that may be one, a remark is a remark on it.
    if kind and (kind == _TOTAL or not number):
        return f"“{_shortened(first)}” is no lease: it looks like {kind}."
    return NEITHER if mapping.agency is not None and not number and not agency else ""


def _kind(text: str) -> str:
    if not text or not _ANY.fullmatch(text):
        return ""
    return next(kind for kind, pattern in _NO_LEASES.items() if pattern.fullmatch(text))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
