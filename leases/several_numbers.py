"""Whether a text holds more than one lease number."""

import re

_SEPARATED = re.compile(r"[,;|&+\n\r\t]|(?<=\d) ?/|\band\b|\bthru\b|\bthrough\b|\bto\b", re.IGNORECASE)
# One of several numbers has that many, or fewer behind letters.
_ENOUGH_DIGITS = 3
_LETTERED = re.compile(r"[a-z]{1,4}[ -]?\d", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
# A number with its letters, twice in a row; asked only of what is as short as two numbers.
_TWICE = re.compile(r"[a-z]{2,}[\s-]*\d{4,}\S*\s+[a-z]{2,}[\s-]*\d{4,}.*", re.IGNORECASE)
_SHORT = 100


def holds_several(text: str) -> bool:
    """Whether more than one of the parts of the text could be a number of its own."""
    if _THOUSANDS.fullmatch(text):
        return False
    parts = [part.strip() for part in _SEPARATED.split(text)]
    if sum(_may_be_number(part) for part in parts) > 1:
        return True
    return len(text) <= _SHORT and _TWICE.fullmatch(text) is not None


def _may_be_number(part: str) -> bool:
    digits = len(re.findall(r"\d", part))
    return digits >= _ENOUGH_DIGITS or (digits > 1 and _LETTERED.match(part) is not None)
