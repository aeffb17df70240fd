"""Characters that look like others, or like nothing, and numbers that look like other numbers."""

import re
import unicodedata
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from core.base.folding import (
    APOSTROPHES,
    DASHES,
    FILLERS,
    HYPHENS,
    LOOK_ALIKE_LETTERS,
    OVERRIDES,
    QUOTES,
    UNSEEN,
    as_it_looks,
    char_as_it_looks,
    fold_case,
)
from leases.agency_numbers import doubts_about_form
from leases.several_numbers import may_hold_several

if TYPE_CHECKING:
    from collections.abc import Mapping

# Those that no compatibility mapping tells; from Unicode's table of confusable characters (UTS 39).
_LOOK_ALIKES = {
    "/": "\u0337\u0338\u1735\u2041\u2044\u2215\u2571\u27cb\u29f8\u2afd\u2cc6\u2f03\u3033\u30ce\u31d3\u4e3f\U0001d23a",
    "\\": "\u20e5\u2216\u2572\u27cd\u29f5\u29f9\u2f02\u31d4\u4e36\U0001d20f\U0001d23b",
    ".": "\u0589\u0660\u06d4\u06f0\u0701\u0702\u3002\ua4f8\ua60e\ufe12\uff61\U00010a50\U0001d16d",
}
_FOLDED = {char: plain for plain, chars in _LOOK_ALIKES.items() for char in chars}
# Printable by their category, and yet nothing is to be seen: fillers, joiners, variation selectors, the empty Braille cell.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
# What separates the parts of a number, or stands around it, and is no part of it.
_SEPARATORS = dict.fromkeys(map(ord, " -_\u1680" + HYPHENS + DASHES + FILLERS + UNSEEN + OVERRIDES))
_GUARDS = dict.fromkeys(map(ord, "'\"" + APOSTROPHES + QUOTES))
_LETTERS = {char: plain.replace("o", "0") for char, plain in LOOK_ALIKE_LETTERS.items()} | {ord("o"): "0"}
_BARE: dict[int, str | None] = {**_SEPARATORS, **_GUARDS, **_LETTERS}
_LEADING_ZEROS = re.compile("(?<![0-9])0+(?=[0-9])")
NAMED_AT_MOST = 3

# All that lease numbers are written with. Also “/” is none of it: an archive is one folder, so no number may hold it.
_USUAL = frozenset(ascii_letters + digits + " -")
# The row of a file has a sentence for all of them.
_BETWEEN_NUMBERS = ",;|"
# Letters that look like a digit, from the same table. No stored key knows them: they only raise a doubt.
_DRAWN_FOR_DIGITS = {
    "0": "\u00d8\u00f8\u01fe\u01ff\u04e8\u04e9",
    "1": "\u0196\u01c0\u2223",
    "2": "\u01a7\u01a8",
    "3": "\u0190\u01b7\u021c\u021d\u025b\u025c\u0292\u0417\u0437\u04e0\u04e1\ua76a\ua76b\ua7ab",
    "5": "\u01bc\u01bd",
    "6": "\u0184\u0185\u0431",
    "8": "\u0222\u0223",
}
_DIGITS = {char: digit for digit, chars in _DRAWN_FOR_DIGITS.items() for char in chars}
_MISTAKEN_FOR = {"I": "1", "l": "1", "O": "0", "o": "0"}
_GROUP = re.compile("[0-9A-Za-z]+")
_BETWEEN_DIGITS = re.compile("(?<=[0-9])[IlOo]+(?=[0-9])")
_LIKE_DIGITS = re.compile("[0-9IlOo]+[A-Z]?")
# As a spreadsheet shows, and saves as CSV, a number of many digits: nothing else stands in the cell.
_SHORTENED = re.compile("[0-9]{1,20}(?:[.,][0-9]{1,20})?E[+-]?[0-9]{1,3}", re.IGNORECASE)
# As a spreadsheet shows “1-5” or “3/4”, and saves it as CSV. “Jan-14321” is none: a year has two digits or four.
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR = "(?:[0-9]{2}|(?:19|20)[0-9]{2})"
_DATE = re.compile(
    rf"[0-9]{{1,2}}[ ./-]{_MONTH}(?:[ ./-]{_YEAR})?|{_MONTH}[./-]{_YEAR}|(?:19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}(?:[ T][0-9:.]+)?"
    rf"|[0-9]{{1,2}}[./][0-9]{{1,2}}[./]{_YEAR}|[0-9]{{1,2}}-[0-9]{{1,2}}-(?:19|20)[0-9]{{2}}",
    re.IGNORECASE,
)
_STRAY_HYPHEN = re.compile("^-|--|-$")
# A lease number has fewer words, and fewer characters.
_WORDS, _LONG = 5, 40


def look_alikes(text: str) -> str:
    """The characters of the text that could be taken for a dot, a slash or a backslash."""
    return "".join(char for char in text if char not in _LOOK_ALIKES and not set(_plain(char)).isdisjoint(_LOOK_ALIKES))


def without_look_alikes(text: str) -> str:
    """The text with the dots and slashes that its look-alikes stand for."""
    return "".join(_plain(char) for char in text)


def has_invisible(text: str) -> bool:
    """Whether there is something in the text that cannot be seen: a control character, a special blank or the like."""
    return not text.isprintable() or not _INVISIBLE.isdisjoint(text)


def _plain(char: str) -> str:
    if char.isascii():
        return char
    return _FOLDED.get(char) or unicodedata.normalize("NFKC", char)


def bare_key(number: str) -> str:
    """The number without case, blanks, dashes and quotation marks, with our letters for others that look like them, and a
    zero for each “O”; as PostgreSQL's `bare_number` makes it.
    """
    return fold_case(unicodedata.normalize("NFKC", number)).translate(_BARE)


def short_key(number: str) -> str:
    """The same without the zeros before other digits; as PostgreSQL's `short_number` makes it."""
    return bare_key(_LEADING_ZEROS.sub("", unicodedata.normalize("NFKC", number)))


def difference(one: str, other: str) -> str:
    """In what two numbers differ that are alike, as the end of a sentence: “zeros and blanks or dashes”."""
    by_zeros = bare_key(one) != bare_key(other)
    kinds: dict[str, Mapping[int, str | None]] = {
        "blanks or dashes": _SEPARATORS,
        "an apostrophe": _GUARDS,
        "characters that look alike": _LETTERS,
    }
    words = ["zeros"] if by_zeros else []
    for word, left in kinds.items():
        folded = {char: plain for char, plain in _BARE.items() if char not in left}
        if _folded(one, folded, zeros=by_zeros) != _folded(other, folded, zeros=by_zeros):
            words.append(word)
    return " and ".join(words) or "characters that look alike"


def _folded(number: str, by: dict[int, str | None], *, zeros: bool) -> str:
    text = fold_case(unicodedata.normalize("NFKC", number))
    return (_LEADING_ZEROS.sub("", text) if zeros else text).translate(by)


def unseen_in(name: str, number: str) -> str:
    """What nobody sees of a name that reads as the number does, in a few words; empty where one can see how they differ."""
    if as_it_looks(name) != as_it_looks(number):
        return ""
    odd = [
        unicodedata.name(char, "an unknown character").lower()
        for char in dict.fromkeys(name)
        if not (char.isascii() and char.isprintable())
    ]
    blanks = ["blanks side by side"] if "  " in name else []
    return " and ".join([*odd[:NAMED_AT_MOST], *blanks])


def doubts_about_number(number: str, *, agency: str = "") -> list[str]:
    """Why a number may not be what is meant, as far as it tells by itself, a sentence each; the same for form, file,
    command and the lease's page.

    Args:
        number: folded (`normalise_number`) and valid: what is refused has a sentence already.
        agency: whose it is; empty: that is not known, or told otherwise.
    """
    if may_hold_several(number):
        # Each of them is looked at anew once it is given by itself.
        return ["This reads like several lease numbers: give each of them by itself."]
    # Whatever else is odd about it says more than that it is written in an unusual way.
    told = [*_doubts_about_text(number), *doubts_about_characters(number)]
    return told or doubts_about_form(agency=agency, number=number)


def _doubts_about_text(number: str) -> list[str]:
    if not re.search(r"\d", number):
        return [f"“{number}” has no digit: see whether it is a lease number."]
    if len(number.split()) > _WORDS or len(number) > _LONG:
        return ["This reads like a text: see whether it is a lease number."]
    return []


def doubts_about_characters(number: str) -> list[str]:
    """A sentence for whatever lease numbers are not written with, or may have been mistaken for what they are.

    Letters of ours, digits, blanks and hyphens are usual; of all others the first few are named.

    Args:
        number: folded (`normalise_number`), so that what can be mended surely is mended.
    """
    if is_shortened(number):
        return [f"“{number}” looks like a number that a spreadsheet has shortened: type all of its digits."]
    if _DATE.fullmatch(number):
        return [f"“{number}” looks like a date that a spreadsheet has made of a number: type the number as it was."]
    odd = [char for char in dict.fromkeys(number) if char not in _USUAL and char not in _BETWEEN_NUMBERS]
    return [
        *_doubts_about_separators(number),
        *(_doubt(char) for char in odd[:NAMED_AT_MOST]),
        *(_doubt_beside_digits(char) for char in _mistaken_letters(number)),
    ]


def is_shortened(number: str) -> bool:
    """Whether a spreadsheet has made it of a number of many digits, so that these are lost."""
    return _SHORTENED.fullmatch(number) is not None


def _doubts_about_separators(number: str) -> list[str]:
    doubts = {
        "There are two blanks side by side; one of them may be too many.": "  " in number,
        "There is a hyphen too many, or something beside it is missing.": _STRAY_HYPHEN.search(number),
        f"“{number}” holds a separator: see whether it is one lease number.": any(
            c in number for c in _BETWEEN_NUMBERS
        ),
    }
    return [sentence for sentence, is_so in doubts.items() if is_so]


def _doubt(char: str) -> str:
    plain = _DIGITS.get(char) or char_as_it_looks(char)
    if char.isascii() or not plain.isascii():
        return f"“{char}” ({_in_words(char)}) is rarely part of a lease number."
    plain = plain.upper() if char.isupper() else plain
    return f"“{char}” ({_in_words(char)}) only looks like “{plain}”; type it again by hand."


def _doubt_beside_digits(letter: str) -> str:
    digit = _MISTAKEN_FOR[letter]
    return f"“{letter}” ({_in_words(letter)}) stands where digits do: see whether “{digit}” is meant."


def _in_words(char: str) -> str:
    return unicodedata.name(char, "unknown character").lower()


def _mistaken_letters(number: str) -> list[str]:
    """Each letter that may have been meant as a digit. What stands before the first blank or hyphen is rarely digits, and
    has such letters of its own: V0, LO, NMLC.
    """
    plain = "".join(_DIGITS.get(char, char) for char in number)
    first, *later = _GROUP.findall(plain) or [""]
    groups = [group for group in later or [first] if _may_be_digits(group)]
    found = "".join([*_BETWEEN_DIGITS.findall(plain), *groups])
    return [letter for letter in dict.fromkeys(found) if letter in _MISTAKEN_FOR]


def _may_be_digits(group: str) -> bool:
    """Whether it is made of digits and such letters, or of such letters alone, with one more letter behind at most."""
    has_digit = any(char in digits for char in group)
    return _LIKE_DIGITS.fullmatch(group) is not None and (has_digit or set(group) <= set(_MISTAKEN_FOR))
