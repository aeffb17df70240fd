"""What the database itself knows of numbers: the keys by which look-alike numbers are found
(docs/decisions/0013-what-is-the-same.md). They stand on the folding that `cloud` has made."""

from cloud.migrations._functions import ends, made, quoted

# As `leases.lookalikes` had it when this was written; what these functions give is stored in indexes, so that another table
# needs another migration.
LETTERS = {
    "0": "3bf 43e 585 1d0f 2c9f a4f3",
    "a": "3b1 430 13aa 1d00 2c81 a4ee",
    "b": "299 3b2 432 13f4 2c83 a4d0",
    "c": "3f2 441 13df 1d04 2ca5 a4da",
    "d": "501 13a0 1d05 a4d3",
    "e": "3b5 435 13ac 1d07 2c89 a4f0",
    "f": "3dd a4dd",
    "g": "261-262 50d 13c0 a4d6",
    "h": "29c 3b7 43d 4bb 570 13bb 2c8f a4e7",
    "i": "131 269-26a 3b9 456 4cf 2c93 a4f2",
    "j": "3f3 458 13ab 1d0a a4d9",
    "k": "3ba 43a 13e6 1d0b 2c95 a4d7",
    "l": "29f 13de a4e1",
    "m": "3bc 43c 13b7 1d0d 2c99 a4df",
    "n": "274 3bd 2c9b a4e0",
    "p": "3c1 440 13e2 1d18 2ca3 a4d1",
    "q": "51b",
    "r": "280 13d2 a4e3",
    "s": "455 13da a4e2 a731",
    "t": "3c4 442 13a2 1d1b 2ca7 a4d4",
    "u": "57d 1d1c a4f4",
    "v": "475 13d9 1d20 a4e6",
    "w": "461 51d 13b3 1d21 a4ea",
    "x": "3c7 445 2cad a4eb",
    "y": "28f 3c5 443 4af 2ca9 a4ec",
    "z": "3b6 13c3 1d22 a4dc",
}
MARKS = """
ab ad bb 2b9-2bd 2c8 34f 61c 115f-1160 1680 17b4-17b5 180b-180f 200b-2015 2018-201f 202a-202e 2032-2033 2035-2036
2060-206f 2212 2800 2e3a-2e3b 301c 3030 3164 fe00-fe0f fe58 fe63 feff ffa0 e0001-e007f e0100-e01ef
"""


def chars(runs: str) -> str:
    return "".join(chr(char) for run in runs.split() for char in range(ends(run)[0], ends(run)[1] + 1))


# What has no counterpart in the second text is dropped.
ASCII_BARE = f"{quoted("""o -_'\"""")}, '0'"
LETTERS_IN_ORDER = [(char, plain) for plain, runs in LETTERS.items() for char in chars(runs)]
ALL_BARE = ", ".join(
    (
        quoted("o" + "".join(char for char, _ in LETTERS_IN_ORDER) + """ -_'\"""" + chars(MARKS)),
        quoted("0" + "".join(plain for _, plain in LETTERS_IN_ORDER)),
    )
)
WITHOUT_ZEROS = "regexp_replace({text}, '(?<![0-9])0+(?=[0-9])', '', 'g')"
PLAIN, ODD = """lower(value COLLATE "C")""", "dropbox_fold(normalize(value, NFKC))"


def key(plain: str, odd: str) -> str:
    return f"""CASE WHEN octet_length(value) = char_length(value) THEN translate({plain}, {ASCII_BARE})
ELSE translate({odd}, {ALL_BARE}) END"""


BARE = key(PLAIN, ODD)
SHORT = key(WITHOUT_ZEROS.format(text=PLAIN), WITHOUT_ZEROS.format(text=ODD))

MADE = made({"bare_number": BARE, "short_number": SHORT})
