"""What goes into the cells of a CSV or XLSX file that people open in a spreadsheet."""

import re
from typing import Any

# What makes a spreadsheet take a text for a formula, also in full width, and also behind blanks that it trims.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\uff0b\uff0d\uff1d\uff20]")
# At the very beginning, these end one cell and begin another in some programs.
_BREAKS = ("\t", "\r", "\n")
# XML, and so XLSX, has no place for these, nor for halves of surrogate pairs.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def defused(cell: Any) -> Any:
    """The value of a cell such that no spreadsheet calculates it (CWE-1236).

    A text that would be a formula gets an apostrophe in front, which spreadsheets show as text. Numbers, dates and
    truth values stay what they are. For every cell of every export, the header too:

        writer.writerow([defused(value) for value in row])
    """
    if not isinstance(cell, str):
        return cell
    text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", cell)
    return f"'{text}" if cell.startswith(_BREAKS) or _FORMULA.match(cell) else text
