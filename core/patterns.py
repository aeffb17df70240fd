"""Regular expressions that somebody writes into a setting, matched so that none of them can hang a worker.

RE2 needs time in proportion to the text, whatever the pattern; for that it knows no look-ahead, no look-behind and no
back-references.
"""

from collections.abc import Callable
from functools import lru_cache

import re2

LONGEST_PATTERN = 200
# RE2 takes at most so much for one pattern, and refuses it if that is not enough.
MEMORY_BYTES = 1 << 20


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
