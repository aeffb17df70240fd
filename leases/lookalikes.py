"""Characters that look like a dot, a slash or a backslash, or like nothing, and are none."""

import unicodedata

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
