"""How a token is spelled: `rst_`, 43 letters and digits by chance, and 6 that are a sum over these.

By the beginning and the sum, a scanner for secrets knows one wherever it lies, and what was mistyped is told from what there
is without asking anybody. Only a digest is kept: of what was drawn from so many, nobody finds it again.
"""

import hashlib
import re
import secrets
import string
import zlib
from urllib.parse import unquote

PREFIX = "rst_"
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 256 bits of chance.
DRAWN = 43
SUM = 6
HINT = 4
_SPELLED = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{DRAWN + SUM}}}", re.ASCII)
# An address may be written in signs within signs, as one that is a part of another.
_UNQUOTED_TIMES = 3


def draw() -> str:
    """A new one, which nobody has had before."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(DRAWN))
    return f"{PREFIX}{drawn}{_sum_of(drawn)}"


def is_right(text: str) -> bool:
    """Whether it can be one at all."""
    if not _SPELLED.fullmatch(text):
        return False
    drawn, summed = text[len(PREFIX) : -SUM], text[-SUM:]
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
