"""The rows of a root, page by page in the order of their keys. No cursor is held open between the pages."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from storage.index.entries import LONGEST_KEY_BYTES
from storage.index.merging import BATCH
from storage.models import IndexRun

# As `merging.Row` has them.
COLUMNS = """key, size, modified_ns, etag, id,
    CASE WHEN state = 'present' THEN NULL
        WHEN state = 'missing' AND missing_since <= statement_timestamp() - %(grace)s THEN 'expired' ELSE state END,
    owner_id, sha256, CASE WHEN %(checksums)s THEN content_type END, CASE WHEN %(names)s THEN name END"""
PAGE = f"""
SELECT {COLUMNS} FROM storage_storedfile
WHERE root_id = %(root)s AND key > %(after)s {{bound}}
ORDER BY key LIMIT %(limit)s
"""
BELOW = "AND key < %(end)s"
# Behind every key, also behind those that begin with the last character that there is, of four bytes.
LAST = "\U0010ffff" * (LONGEST_KEY_BYTES // 4 + 1)


def given_by(run: IndexRun, *, names: bool = False) -> dict[str, Any]:
    """What the columns ask of a run.

    Args:
        names: the key does not tell how they are shown.
    """
    return {"root": run.root_id, "grace": run.grace, "checksums": run.checksums, "names": names}


def rows(run: IndexRun, *, after: str, prefix: str) -> Iterator[tuple[Any, ...]]:
    """The rows below the prefix behind that key, each as `merging.Row` has it."""
    # What stands at the prefix itself belongs to it.
    return rows_between(given_by(run), after=after or prefix[:-1], end=end_of(prefix))


def rows_between(given: dict[str, Any], *, after: str, end: str) -> Iterator[tuple[Any, ...]]:
    """The rows behind one key and before another one; if that is empty, to the last.

    Args:
        given: see `given_by`.
    """
    statement = PAGE.format(bound=BELOW if end else "")
    given = given | {"limit": BATCH, "end": end}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, given | {"after": after})
            page = cursor.fetchall()
        yield from page
        if len(page) < given["limit"]:
            return
        after = page[-1][0]


def end_of(prefix: str) -> str:
    """The first key behind all that begin with a directory's; empty for the root's."""
    return f"{prefix[:-1]}0" if prefix else ""  # "0" comes after "/"
