"""Whether a text holds more than one lease number."""

import re

_SEPARATED = re.compile(r"[,;|&+\n\r\t]|(?<=\d) ?/|\band\b|\bor\b|\bthru\b|\bthrough\b|\bto\b", re.IGNORECASE)
# One of several numbers has that many, or fewer behind letters.
_ENOUGH_DIGITS = 3
_LETTERED = re.compile(r"[a-z]{1,4}[ -]?\d", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
# What may stand between two numbers: blanks, and a sign or a word with or without them.
_BETWEEN = r"(?:\s+(?:[&+/|-]|and|or|thru|through|to)\s+|\s*[,;|&+/]\s*|\s+)"
# Asked only of what is as short as two numbers.
_SHORT = 100
# The letters of the first number again, with digits behind them again: “B-10456-1 B-10457”.
_AGAIN = re.compile(rf"([a-z]{{1,4}})[\s-]*\d[\w-]*{_BETWEEN}\1[\s-]*\d.*", re.IGNORECASE)
# A number with its letters, and another one with others.
_TWICE = re.compile(r"[a-z]{2,}[\s-]*\d{4,}\S*\s+[a-z]{2,}[\s-]*\d{4,}.*", re.IGNORECASE)
# The same with fewer: of most agencies these are two numbers, of some the second may be a part of the first.
_MAY_BE_TWICE = re.compile(
    rf"[a-z]{{1,4}}\d?[\s-]*\d{{3,}}[\w-]*{_BETWEEN}[a-z]{{1,4}}\d?[\s-]*\d{{3,}}.*", re.IGNORECASE
)
# Digits beside digits. Of a State's lease two groups of four are one number (VB 0514 0001), without letters they are two.
_DIGITS_TWICE = re.compile(
    rf"[a-z]{{0,4}}[ -]?\d{{5,}}[a-z]?(?:-|{_BETWEEN})\d{{5,}}[a-z]?\b.*|\d{{4}}{_BETWEEN}\d{{4}}", re.IGNORECASE
)


def holds_several(text: str) -> bool:
    """Whether more than one of the parts of the text could be a number of its own."""
    if _THOUSANDS.fullmatch(text):
        return False
    parts = [part.strip() for part in _SEPARATED.split(text)]
    if sum(_may_be_number(part) for part in parts) > 1:
        return True
    return _is_any(text, _AGAIN, _TWICE)


def may_hold_several(text: str) -> bool:
    """The same, or it reads so, though it may be one number that is written in an unusual way."""
    return holds_several(text) or _is_any(text, _MAY_BE_TWICE, _DIGITS_TWICE)


def _is_any(text: str, *forms: re.Pattern[str]) -> bool:
    return len(text) <= _SHORT and any(form.fullmatch(text) for form in forms)


def _may_be_number(part: str) -> bool:
    digits = len(re.findall(r"\d", part))
    return digits >= _ENOUGH_DIGITS or (digits > 1 and _LETTERED.match(part) is not None)
