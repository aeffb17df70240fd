"""Regular expressions that somebody writes into a setting, matched so that none of them can hang a worker.

RE2 needs time in proportion to the text, whatever the pattern; for that it knows no look-ahead, no look-behind and no
back-references.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache

import re2

from core.folding import as_it_looks, char_as_it_looks

LONGEST_PATTERN = 200
# RE2 takes at most so much for one pattern, and refuses it if that is not enough.
MEMORY_BYTES = 1 << 20

_ESCAPE = r"\\(?:[pP](?:\{[^}]*\}|.)|.)"
# One element of a set of characters: a range, a class by its name, an escape, or a character.
_IN_CLASS = re.compile(rf"(?:\\.|[^\\])-(?:\\.|[^\\])|\[:\^?\w+:\]|{_ESCAPE}|.", re.DOTALL)
_ATOM = re.compile(
    rf"""
    (?:
        \\Q(?P<quoted>.*?)(?:\\E|\Z)
        | \\x(?:\{{(?P<number>[0-9a-fA-F]{{1,6}})\}})
        | (?P<rest>
            {_ESCAPE}
            | \[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]
            | \(\?(?:P?<[^>]*>|[a-zA-Z-]*[:)])
            | .
        )
    )
    (?P<quantifier>(?:[*+?]|\{{[0-9]+(?:,[0-9]*)?\}})\??|)
    """,
    re.VERBOSE | re.DOTALL,
)
_MINDS_CASE = re.compile(r"\(\?[a-zA-Z]*-[a-zA-Z]*i[a-zA-Z]*[:)]")
# Other ways to write a blank.
_BLANK = re.compile(r"\\s|\\\ |\\t|\\p\{Zs?\}|\\pZ|\[(?:\\s|\\\ |\\t|\[:(?:space|blank):\]|\s)+\]")


class PatternRefused(ValueError):
    """This is no regular expression, or one that would need too much memory."""


@lru_cache(maxsize=8)
def compiled(pattern: str) -> Callable[[str], bool]:
    """What tells whether a text matches somewhere; upper and lower case are the same.

    Raises:
        PatternRefused: with RE2's reason.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    try:
        program = re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternRefused(_reason(error)) from None

    def matches(text: str) -> bool:
        # A name may hold half a surrogate pair, which no encoding has a place for.
        return program.search(text.encode(errors="replace")) is not None

    return matches


def _reason(error: Exception) -> str:
    reason = error.args[0]
    return f"{reason.decode() if isinstance(reason, bytes) else 'it is no text'}."


@lru_cache(maxsize=8)
def compiled_as_it_looks(pattern: str) -> Callable[[str], bool]:
    """What tells whether a text matches somewhere, as it is written or as it looks (`core.folding.as_it_looks`).

    The pattern is folded likewise, so that it does not matter in whose typography it was written. Nothing that matches as it
    stands is lost by that.

    Raises:
        PatternRefused: with RE2's reason.
    """
    as_it_stands = compiled(pattern)
    if any(_MINDS_CASE.fullmatch(atom) for atom, _ in _atoms(pattern)):
        # What is folded is in lower case, and so no text for a pattern that tells the cases apart.
        return lambda text: as_it_stands(unicodedata.normalize("NFC", text))
    asked = [as_it_stands]
    if (folded := pattern_as_it_looks(pattern)) != pattern:
        # What is folded may be no pattern any more, such as a range that ends before it begins.
        with suppress(PatternRefused):
            as_it_looks_itself = compiled(folded)
            # Of what nobody sees, an empty branch may be left, which every name matches.
            if as_it_stands("") or not as_it_looks_itself(""):
                asked.append(as_it_looks_itself)

    def matches(text: str) -> bool:
        written, seen = unicodedata.normalize("NFC", text), as_it_looks(text)
        return any(each(written) or each(seen) for each in asked)

    return matches


def pattern_as_it_looks(pattern: str) -> str:
    """The pattern with its literal characters folded; several blanks, however they are written, ask for one."""
    folded: list[str] = []
    blanks: list[int] = []
    for atom, quantifier in _atoms(unicodedata.normalize("NFC", pattern)):
        if _BLANK.fullmatch(atom) or (len(atom) == 1 and not char_as_it_looks(atom).strip() and char_as_it_looks(atom)):
            blanks.append(_at_least(quantifier))
            continue
        folded.append(_one_blank(blanks))
        blanks.clear()
        folded.append(_folded_atom(atom, quantifier))
    return "".join(folded) + _one_blank(blanks)


def _atoms(pattern: str) -> Iterator[tuple[str, str]]:
    """Each thing that matches, or groups, or anchors, and what says how often; what is quoted and what is written by its
    number, as the character that it is.
    """
    for found in _ATOM.finditer(pattern):
        quoted, number, rest = found["quoted"], found["number"], found["rest"]
        if quoted is not None:
            literals = [_escaped(char) if char.isascii() else char for char in quoted]
        else:
            literals = [_character(number)] if number else [rest]
        yield from ((literal, "") for literal in literals[:-1])
        yield from ((literal, found["quantifier"]) for literal in literals[-1:])


def _character(number: str) -> str:
    """As itself, if it is not ASCII, and so means nothing else in a pattern."""
    code = int(number, 16)
    return _escaped(chr(code)) if code < 0x80 else chr(code) if code <= sys.maxunicode else f"\\x{{{number}}}"  # noqa: PLR2004 - ASCII


def _folded_atom(atom: str, quantifier: str) -> str:
    if atom.startswith("[") and len(atom) > 1:
        return _folded_class(atom) + quantifier
    if len(atom) > 1 or atom.isascii():
        return atom + quantifier
    plain = char_as_it_looks(atom)
    if not plain:
        return ""
    text = "".join(map(_escaped, plain))
    return f"(?:{text}){quantifier}" if len(plain) > 1 and quantifier else text + quantifier


def _folded_class(atom: str) -> str:
    """A set of characters; what stands in a range stays."""
    head = "[^" if atom.startswith("[^") else "["
    parts = [_folded_in_class(part) for part in _IN_CLASS.findall(atom[len(head) : -1])]
    return head + "".join(parts) + "]" if any(parts) else atom


def _folded_in_class(part: str) -> str:
    return part if len(part) > 1 or part.isascii() else "".join(map(_escaped, char_as_it_looks(part)))


def _at_least(quantifier: str) -> int:
    """How many of a thing a quantifier asks for."""
    if not quantifier:
        return 1
    if quantifier.startswith("{"):
        return int(re.findall("[0-9]+", quantifier)[0])
    return int(quantifier.startswith("+"))


def _one_blank(at_least: list[int]) -> str:
    if not at_least:
        return ""
    return " " if sum(at_least) else " ?"


def _escaped(char: str) -> str:
    return f"\\{char}" if char.isascii() and not char.isalnum() else char
