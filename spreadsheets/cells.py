"""What other programs put around the text of a cell, so that it stays a text: taken off."""

import re

from core.base.folding import APOSTROPHES, OVERRIDES, UNSEEN

MAX_CELL = 500

_CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_BLANKS = " \u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_AROUND = _CONTROLS + _BLANKS + UNSEEN + OVERRIDES
# Those that may stand inside a text are the tabulator and the ends of lines.
_INSIDE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# How a CSV file keeps Excel from taking a text for a number.
_KEPT_AS_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
# Also those that word processors make of it.
_APOSTROPHES = "'\uff07`\u00b4" + APOSTROPHES
_QUOTES = {'"': '"', "\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb"}
_LINK = re.compile(r'=\s*HYPERLINK\s*\(\s*"(?:[^"]|"")*"\s*[,;]\s*"((?:[^"]|"")*)"\s*\)', re.IGNORECASE)


def tidy(cell: str) -> str:
    """The text without what stands around it to guard it: blanks, control characters, `="…"`, an apostrophe in front.

    What a person could not read in a list is no part of it; what is inside of the text stays.
    """
    if cell.isalnum():
        return _cut(cell)
    text = cell.strip(_AROUND)
    if kept := _KEPT_AS_TEXT.fullmatch(text):
        text = kept[1].replace('""', '"').strip(_AROUND)
    text = _unquoted(text)
    return _cut(_INSIDE.sub("\N{REPLACEMENT CHARACTER}", text))


def is_damaged(cell: str) -> bool:
    """Whether control characters stand inside of the text, where nobody can say what they stand for."""
    return _INSIDE.search(cell.strip(_AROUND)) is not None


def text_of_link(cell: str) -> str | None:
    """What a formula that makes a link shows; None: it is no such formula."""
    link = _LINK.fullmatch(cell.strip(_AROUND))
    return link[1].replace('""', '"') if link else None


def _unquoted(text: str) -> str:
    first, last = text[:1], text[-1:]
    if first in _QUOTES and last == _QUOTES.get(first) and len(text) > 1 and first not in text[1:-1]:
        return text[1:-1].strip(_AROUND)
    if first and first in _APOSTROPHES:
        return text[1:].removesuffix(first).strip(_AROUND)
    return text


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
