"""What the database itself knows of numbers and paths: one folding of both, whatever locale it has, and the keys by which
look-alike numbers are found (docs/decisions/0013-what-is-the-same.md)."""

from django.db import migrations

# As `core.base.folding` and `leases.lookalikes` had it when this was written; what these functions give is stored in indexes,
# so that another table needs another migration.
LOWER_CASE = """
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


def ends(run: str) -> tuple[int, int]:
    first, _, last = run.partition("-")
    return int(first, 16), int(last or first, 16)


def chars(runs: str) -> str:
    return "".join(chr(char) for run in runs.split() for char in range(ends(run)[0], ends(run)[1] + 1))


def lower_case() -> tuple[str, str]:
    """The capitals that are not ASCII, and what becomes of each."""
    mapping: dict[str, str] = {}
    for run in LOWER_CASE.split():
        capitals, _, becomes = run.partition(":")
        capitals, _, step = capitals.partition("/")
        first, last = ends(capitals)
        for char in range(first, last + 1, int(step or 1)):
            mapping[chr(char)] = chr(char - first + int(becomes, 16))
    return "".join(mapping), "".join(mapping.values())


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Not STRICT, since PostgreSQL puts the expression in the place of the call only where that changes nothing.
FUNCTION = """
CREATE FUNCTION {name}(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN {expression}
"""
# Nearly all is ASCII, for which long tables are slow. Whatever the locale, "C" knows the case of ASCII and no other.
FOLD = f"""CASE WHEN octet_length(value) = char_length(value) THEN lower(value COLLATE "C")
ELSE translate(value, {quoted(lower_case()[0])}, {quoted(lower_case()[1])}) END"""
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
FUNCTIONS = {"dropbox_fold": FOLD, "bare_number": BARE, "short_number": SHORT}

MADE = [
    migrations.RunSQL(FUNCTION.format(name=name, expression=expression), reverse_sql=f"DROP FUNCTION {name}(text)")
    for name, expression in FUNCTIONS.items()
]
