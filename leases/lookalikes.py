"""Characters that look like others, or like nothing, and numbers that look like other numbers."""

import re
import unicodedata
from typing import TYPE_CHECKING

from core.folding import (
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
# Letters with marks, as names have them: up to here they are no look-alikes of others.
_LAST_OF_LATIN = "\u024f"
NAMED_AT_MOST = 3


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


def is_alike(one: str, other: str) -> bool:
    """Whether two numbers are likely the same one, written in two ways."""
    return bare_key(one) == bare_key(other) or short_key(one) == short_key(other)


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


def doubts_about_characters(number: str) -> list[str]:
    """A sentence for what only looks like the characters that lease numbers have; the first few are named.

    Args:
        number: folded (`normalise_number`), so that what can be mended surely is mended.
    """
    odd = dict.fromkeys(char for char in number if _is_odd(char))
    blanks = ["There are two blanks side by side; one of them may be too many."] if "  " in number else []
    return blanks + [_doubt(char) for char in list(odd)[:NAMED_AT_MOST]]


def _is_odd(char: str) -> bool:
    if char.isascii():
        return False
    is_ours = char <= _LAST_OF_LATIN and char.isalpha() and unicodedata.normalize("NFKC", char) == char
    return not is_ours or char == "\N{LATIN SMALL LETTER DOTLESS I}"


def _doubt(char: str) -> str:
    name = unicodedata.name(char, "unknown character").lower()
    plain = char_as_it_looks(char)
    if not plain.isascii():
        return f"“{char}” ({name}) is rarely part of a lease number."
    return f"“{char}” ({name}) only looks like “{plain.upper() if char.isupper() else plain}”; type it again by hand."
