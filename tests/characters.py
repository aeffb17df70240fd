"""Every character that there is, for who asks something of each of them."""

import sys

# Where each character is one of its own kind. Between these lie ideographs, Hangul syllables, cuneiform, Tangut, the halves of
# pairs, what is for private use and what is nothing yet, each in thousands that no rule tells apart: of these, some stand for all.
EACH_ITS_OWN = (
    range(0x3400),
    range(0x4DC0, 0x4E00),
    range(0xA000, 0xAC00),
    range(0xD7A4, 0xD800),
    range(0xF900, 0x12000),
    range(0x14700, 0x17000),
    range(0x18D00, 0x20000),
    range(0x2F800, 0x2FA20),
    range(0xE0000, 0xE0200),
)
# The first and the last of each thousand that looks like the others, and each plane's last.
OTHERS = {code for each in EACH_ITS_OWN for code in (each.start - 1, each.stop)}
OTHERS |= {
    *range(0, sys.maxunicode + 1, 61),
    *(plane - n for plane in range(0x10000, 0x110001, 0x10000) for n in (1, 2, 3)),
}
EVERY_CODE = sorted({*OTHERS, *(code for each in EACH_ITS_OWN for code in each)} - {-1})
# As above, without the halves of pairs.
EVERY_CHARACTER = [chr(code) for code in EVERY_CODE if not 0xD800 <= code < 0xE000]
