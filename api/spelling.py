"""How a token is spelled: `rst_`, 43 letters and digits by chance, and 6 that are a sum over these.

Links to documents are spelled in the same way, after `rsl_`.

By the beginning and the sum, a scanner for secrets knows one wherever it lies, and what was mistyped is told from what there
is without asking anybody. Only a digest is kept: of what was drawn from so many, nobody finds it again.
"""

import hashlib
import re
import secrets
import string
import zlib
from urllib.parse import unquote

PREFIX, LINK_PREFIX = "rst_", "rsl_"
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 256 bits of chance.
DRAWN = 43
SUM = 6
HINT = 4
_DRAWN = re.compile(rf"[0-9A-Za-z]{{{DRAWN + SUM}}}", re.ASCII)
_SPELLED = re.compile(rf"{PREFIX}{_DRAWN.pattern}", re.ASCII)
# An address may be written in signs within signs, as one that is a part of another.
_UNQUOTED_TIMES = 3


def draw(prefix: str = PREFIX) -> str:
    """A new one, which nobody has had before."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(DRAWN))
    return f"{prefix}{drawn}{_sum_of(drawn)}"


def is_right(text: str, prefix: str = PREFIX) -> bool:
    """Whether it can be one at all."""
    if not text.startswith(prefix) or not _DRAWN.fullmatch(text.removeprefix(prefix)):
        return False
    drawn, summed = text[len(prefix) : -SUM], text[-SUM:]
    return secrets.compare_digest(summed, _sum_of(drawn))


def digest(text: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(text.encode()).hexdigest()


def hint(text: str) -> str:
    """By what its owner tells it from others."""
    return text[-HINT:]


def stands_in(address: str) -> bool:
    """Whether an address holds what looks like one, however often it is quoted."""
    for _ in range(_UNQUOTED_TIMES):
        if _SPELLED.search(address):
            return True
        address = unquote(address)
    return _SPELLED.search(address) is not None


def _sum_of(drawn: str) -> str:
    left, letters = zlib.crc32(drawn.encode()), ""
    for _ in range(SUM):
        left, digit = divmod(left, len(LETTERS))
        letters = LETTERS[digit] + letters
    return letters
