"""Every character that there is, for who asks something of each of them."""

import sys

PLANE = 0x10000
# Nothing has a place in planes 4 to 13, and 15 and 16 are for private use: of these, some stand for all.
INHABITED = (0, 1, 2, 3, 14)
EVERY_CODE = [
    code
    for code in range(sys.maxunicode + 1)
    if code // PLANE in INHABITED or code % 251 == 0 or code % PLANE in (0, PLANE - 3, PLANE - 2, PLANE - 1)
]
# As above, without the halves of pairs.
EVERY_CHARACTER = [chr(code) for code in EVERY_CODE if not 0xD800 <= code < 0xE000]
