"""Regular expressions that somebody writes into a setting, matched so that none of them can hang a worker.

Whatever the pattern, RE2 needs time in proportion to the text. The price: it knows no look-ahead, no look-behind and no
back-references.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import re2

from core.base.folded_patterns import LOOKS, folded_pattern
from core.base.folding import as_it_looks, char_as_it_looks, char_as_read
from core.base.pattern_syntax import tokens

LONGEST_PATTERN = 200
# RE2 takes at most so much for one pattern, and refuses it if that is not enough.
MEMORY_BYTES = 1 << 20

# Characters by their name or number, as other dialects than RE2's write them; what is quoted, or escaped, holds none.
_SPELLED_OUT = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\N\{(?P<name>[^}]*)\}|\\u(?P<four>[0-9a-fA-F]{4})|\\U(?P<eight>[0-9a-fA-F]{8})|\\.", re.DOTALL
)
_MINDS_CASE = re.compile(r"\(\?[a-zA-Z]*-[a-zA-Z]*i[a-zA-Z]*[:)]")


class PatternRefused(ValueError):
    """This is no regular expression, names a character that there is not, or would need too much memory."""


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
    r"""What tells whether a text matches somewhere, as it is written or as it looks (`core.base.folding.as_it_looks`).

    The pattern is folded likewise, so that it does not matter in whose typography it was written. Nothing that matches as it
    stands is lost by that. Besides RE2's syntax it may name a character: `\u00A0`, `\U000000A0`, `\N{NO-BREAK SPACE}`.

    Raises:
        PatternRefused: with RE2's reason, or since there is no such character.
    """
    spelled = _SPELLED_OUT.sub(_by_number, pattern)
    as_it_stands = compiled(spelled)
    # What is folded to its looks is in lower case, and so no text for a pattern that tells the cases apart.
    looks = LOOKS[:-1] if any(map(_MINDS_CASE.fullmatch, tokens(spelled))) else LOOKS
    folded = [_compiled_folded(spelled, look) for look in looks]

    def matches(text: str) -> bool:
        seen = [_as_whole(text, look) for look in looks]
        written = [text, unicodedata.normalize("NFC", text), char_as_read(text), *seen]
        # Most names and patterns are plain, so that most of this is the same.
        asked = dict.fromkeys([*((as_it_stands, reading) for reading in written), *zip(folded, seen, strict=True)])
        return any(each(reading) for each, reading in asked)

    return matches


def _as_whole(text: str, look: Callable[[str], str]) -> str:
    return as_it_looks(text) if look is char_as_it_looks else " ".join(look(text).split())


def _compiled_folded(pattern: str, look: Callable[[str], str]) -> Callable[[str], bool]:
    folded = folded_pattern(pattern, look)
    return compiled(folded) if folded is not None else lambda _: False


def _by_number(found: re.Match[str]) -> str:
    if name := found["name"]:
        return _by_name(name)
    number = found["four"] or found["eight"]
    return f"\\x{{{number}}}" if number else found[0]


def _by_name(name: str) -> str:
    try:
        char = unicodedata.lookup(name)
    except KeyError:
        char = ""
    if len(char) != 1:
        raise PatternRefused(f"there is no character of the name “{name}”.")
    return f"\\x{{{ord(char):x}}}"
