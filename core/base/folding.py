"""What is the same to whoever reads it: case as Dropbox folds it, and text without what nobody sees.

Three foldings, from the surest to the boldest. `fold_case` says whether two paths are one folder. `without_unseen` is what
a text is kept as: only that is changed which leaves it looking as before. `as_it_looks` is for comparing alone: to it a
Cyrillic em is an “m”.
"""

import re
import unicodedata

# The simple lower-case mapping of Unicode 4.1, character by character, which Dropbox has kept ever since: nothing that was
# added later has another case to it, “ß” is no “SS”, and a ligature is one letter. First-last/step:what the first becomes.
_LOWER_CASE = """
41-5a:61 c0-d6:e0 d8-de:f8 100-12e/2:101 130:69 132-136/2:133 139-147/2:13a 14a-176/2:14b 178:ff 179-17d/2:17a
181:253 182-184/2:183 186:254 187:188 189-18a:256 18b:18c 18e:1dd 18f:259 190:25b 191:192 193:260 194:263
196:269 197:268 198:199 19c:26f 19d:272 19f:275 1a0-1a4/2:1a1 1a6:280 1a7:1a8 1a9:283 1ac:1ad 1ae:288 1af:1b0
1b1-1b2:28a 1b3-1b5/2:1b4 1b7:292 1b8:1b9 1bc:1bd 1c4:1c6 1c5:1c6 1c7:1c9 1c8:1c9 1ca:1cc 1cb-1db/2:1cc
1de-1ee/2:1df 1f1:1f3 1f2-1f4/2:1f3 1f6:195 1f7:1bf 1f8-21e/2:1f9 220:19e 222-232/2:223 23b:23c 23d:19a 241:294
386:3ac 388-38a:3ad 38c:3cc 38e-38f:3cd 391-3a1:3b1 3a3-3ab:3c3 3d8-3ee/2:3d9 3f4:3b8 3f7:3f8 3f9:3f2 3fa:3fb
400-40f:450 410-42f:430 460-480/2:461 48a-4be/2:48b 4c1-4cd/2:4c2 4d0-4f8/2:4d1 500-50e/2:501 531-556:561
10a0-10c5:2d00 1e00-1e94/2:1e01 1ea0-1ef8/2:1ea1 1f08-1f0f:1f00 1f18-1f1d:1f10 1f28-1f2f:1f20 1f38-1f3f:1f30
1f48-1f4d:1f40 1f59-1f5f/2:1f51 1f68-1f6f:1f60 1f88-1f8f:1f80 1f98-1f9f:1f90 1fa8-1faf:1fa0 1fb8-1fb9:1fb0
1fba-1fbb:1f70 1fbc:1fb3 1fc8-1fcb:1f72 1fcc:1fc3 1fd8-1fd9:1fd0 1fda-1fdb:1f76 1fe8-1fe9:1fe0 1fea-1feb:1f7a
1fec:1fe5 1ff8-1ff9:1f78 1ffa-1ffb:1f7c 1ffc:1ff3 2126:3c9 212a:6b 212b:e5 2160-216f:2170 24b6-24cf:24d0
2c00-2c2e:2c30 2c80-2ce2/2:2c81 ff21-ff3a:ff41 10400-10427:10428
"""
# What PostgreSQL or a terminal chokes on: control characters, and halves of surrogate pairs.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Printable by their category, and yet nothing or a blank is to be seen.
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
# Joiners, marks of direction, variation selectors, tags. With them, the characters of every text stand where they stood.
UNSEEN = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\ufeff"
    + "".join(map(chr, [*range(0x2060, 0x2070), *range(0xFE00, 0xFE10), *range(0xE0001, 0xE0080)]))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
# These turn the order of what is read around, so that dropping them would change what is seen.
OVERRIDES = "\u202d\u202e"
# Formats of Arabic, Syriac and Kaithi that are drawn around or beneath the figures that follow.
FORMATS_SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# Neither seen nor a format by its category: the places kept for further formats, joiners of rarer scripts.
_NEVER_DRAWN = "\U0001107f\U00016fe4" + "".join(map(chr, [*range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)]))
# What a list of names shows as a blank, if it shows it: ends of lines and tabulators, and a note without a head.
_BREAKS = "\t\n\v\f\r\u2028\u2029\U0001d159"
# Hyphens that no font draws otherwise than the one of the keyboard.
HYPHENS = "\u2010\u2011\ufe63"
DASHES = "\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\u301c\u3030\ufe58"
APOSTROPHES = "\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201a\u201b\u2032\u2035"
QUOTES = "\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb"
# Letters of other scripts, in lower case, and the letter of ours that they, or their capitals, look like.
_LETTERS = {
    "a": "\u0430\u03b1\u13aa\u1d00\u2c81\ua4ee",
    "b": "\u0432\u03b2\u0299\u13f4\u2c83\ua4d0",
    "c": "\u0441\u03f2\u13df\u1d04\u2ca5\ua4da",
    "d": "\u0501\u13a0\u1d05\ua4d3",
    "e": "\u0435\u03b5\u13ac\u1d07\u2c89\ua4f0",
    "f": "\u03dd\ua4dd",
    "g": "\u050d\u0261\u0262\u13c0\ua4d6",
    "h": "\u043d\u04bb\u03b7\u029c\u0570\u13bb\u2c8f\ua4e7",
    "i": "\u0456\u04cf\u03b9\u0131\u0269\u026a\u2c93\ua4f2",
    "j": "\u0458\u03f3\u1d0a\u13ab\ua4d9",
    "k": "\u043a\u03ba\u1d0b\u13e6\u2c95\ua4d7",
    "l": "\u029f\u13de\ua4e1",
    "m": "\u043c\u03bc\u1d0d\u13b7\u2c99\ua4df",
    "n": "\u03bd\u0274\u2c9b\ua4e0",
    "o": "\u043e\u03bf\u1d0f\u0585\u2c9f\ua4f3",
    "p": "\u0440\u03c1\u1d18\u13e2\u2ca3\ua4d1",
    "q": "\u051b",
    "r": "\u0280\u13d2\ua4e3",
    "s": "\u0455\ua731\u13da\ua4e2",
    "t": "\u0442\u03c4\u1d1b\u13a2\u2ca7\ua4d4",
    "u": "\u057d\u1d1c\ua4f4",
    "v": "\u0475\u1d20\u13d9\ua4e6",
    "w": "\u051d\u0461\u1d21\u13b3\ua4ea",
    "x": "\u0445\u03c7\u2cad\ua4eb",
    "y": "\u0443\u04af\u03c5\u028f\u2ca9\ua4ec",
    "z": "\u03b6\u1d22\u13c3\ua4dc",
}


def _lower_case() -> dict[int, int]:
    mapping: dict[int, int] = {}
    for run in _LOWER_CASE.split():
        chars, _, becomes = run.partition(":")
        ends, _, step = chars.partition("/")
        first, _, last = ends.partition("-")
        start = int(first, 16)
        for char in range(start, int(last or first, 16) + 1, int(step or 1)):
            mapping[char] = char - start + int(becomes, 16)
    return mapping


LOWER_CASE = _lower_case()
LOOK_ALIKE_LETTERS = {ord(char): plain for plain, chars in _LETTERS.items() for char in chars}
_FULL_WIDTH = {char: char - 0xFEE0 for char in range(0xFF01, 0xFF5F)}
_KEPT_AS: dict[int, str | int | None] = {
    **dict.fromkeys(map(ord, UNSEEN)),
    **dict.fromkeys(map(ord, FILLERS), " "),
    **dict.fromkeys(map(ord, HYPHENS), "-"),
    **_FULL_WIDTH,
}
# Stored keys are made of what is kept; this is only for reading, and so may grow.
_READ_AS: dict[int, str | int | None] = {
    **_KEPT_AS,
    **dict.fromkeys(map(ord, OVERRIDES + _NEVER_DRAWN)),
    **dict.fromkeys(map(ord, _BREAKS), " "),
}
_TYPED_AS = {
    **dict.fromkeys(map(ord, DASHES), "-"),
    **dict.fromkeys(map(ord, APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, QUOTES), '"'),
}


def fold_case(text: str) -> str:
    """One case for all that Dropbox takes for the same name; what differs after it is another folder.

    The crate “dbxcase” tells how it came to be so.
    """
    return text.lower() if text.isascii() else text.translate(LOWER_CASE)


def is_same_path(one: str, other: str) -> bool:
    """Whether two paths are one at Dropbox, in whatever case and normal form they are written."""
    return fold_case(unicodedata.normalize("NFC", one)) == fold_case(unicodedata.normalize("NFC", other))


def printable(text: str) -> str:
    """The text with a sign in place of each character that no database or terminal takes.

    A file's name that is not UTF-8 has such characters.
    """
    return text if text.isprintable() else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def without_unseen(text: str) -> str:
    """The text as it is read, in NFC.

    Blanks of every kind become ordinary ones, as many as before. Forms of full width become usual ones. Soft hyphens and
    characters without width go. Control characters stay, since nobody reads what they do; so does what turns the order
    around.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _char_by_char(text))


def as_it_looks(text: str) -> str:
    """The text for comparing only.

    What nobody sees goes, control characters too. Folded are the number of blanks, case, dashes, quotation marks and
    look-alike letters, and what Unicode calls compatible: ligatures, circled digits, mathematical letters.
    """
    return " ".join(char_as_it_looks(fold_case(unicodedata.normalize("NFKC", char_as_read(text)))).split())


def char_as_read(text: str) -> str:
    """Each character as somebody reads it, without those that nobody sees; case, typography and the number of blanks stay."""
    if _is_plain(text):
        return text
    return unicodedata.normalize("NFC", "".join(map(_seen, text.translate(_READ_AS))))


def char_as_typed(text: str) -> str:
    """The same with the dashes, apostrophes and quotation marks that a keyboard has."""
    return char_as_read(text).translate(_TYPED_AS)


def char_as_it_looks(text: str) -> str:
    """Each character as that which it looks like; as many blanks as before."""
    if _is_plain(text):
        return text
    plain = unicodedata.normalize("NFKC", char_as_read(text)).translate(_TYPED_AS)
    return "".join(map(_letter_it_looks_like, plain))


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _char_by_char(text: str) -> str:
    return "".join(map(_blank_or_itself, text.translate(_KEPT_AS)))


def _blank_or_itself(char: str) -> str:
    return " " if char > "\x7f" and unicodedata.category(char) == "Zs" else char


def _seen(char: str) -> str:
    is_unseen = unicodedata.category(char) in {"Cc", "Cf"} and char not in FORMATS_SEEN
    return "" if is_unseen else _blank_or_itself(char)


def _letter_it_looks_like(char: str) -> str:
    return LOOK_ALIKE_LETTERS.get(ord(fold_case(char)), char)
