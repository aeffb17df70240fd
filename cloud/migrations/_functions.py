"""What the database itself knows of paths: one folding of their case, whatever locale it has
(docs/decisions/0013-what-is-the-same.md). Other apps make functions of their own in the same way, by `made`."""

from django.db import migrations

# As `core.base.folding` had it when this was written; what this function gives is stored in indexes, so that another table
# needs another migration.
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


def ends(run: str) -> tuple[int, int]:
    first, _, last = run.partition("-")
    return int(first, 16), int(last or first, 16)


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


def made(functions: dict[str, str]) -> list[migrations.RunSQL]:
    """Functions of one text each, by their names."""
    return [
        migrations.RunSQL(FUNCTION.format(name=name, expression=expression), reverse_sql=f"DROP FUNCTION {name}(text)")
        for name, expression in functions.items()
    ]


MADE = made({"dropbox_fold": FOLD})
