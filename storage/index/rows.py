"""The rows of a root, page by page in the order of their keys. No cursor is held open between the pages."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from storage.index.merging import BATCH
from storage.models import IndexRun

# As `merging.Row` has them.
COLUMNS = """key, size, modified_ns, etag, id,
    CASE WHEN state = 'present' THEN NULL
        WHEN state = 'missing' AND missing_since <= statement_timestamp() - %(grace)s THEN 'expired' ELSE state END,
    owner_id, sha256, CASE WHEN %(checksums)s THEN content_type END"""
PAGE = f"""
SELECT {COLUMNS} FROM storage_storedfile
WHERE root_id = %(root)s AND key > %(after)s {{bound}}
ORDER BY key LIMIT %(limit)s
"""
BELOW = "AND key < %(end)s"


def rows(run: IndexRun, *, after: str, prefix: str) -> Iterator[tuple[Any, ...]]:
    """The rows below the prefix behind that key, each as `merging.Row` has it."""
    statement = PAGE.format(bound=BELOW if prefix else "")
    given: dict[str, Any] = {"root": run.root_id, "grace": run.grace, "checksums": run.checksums, "limit": BATCH}
    given["end"] = end_of(prefix)
    # What stands at the prefix itself belongs to it.
    after = after or prefix[:-1]
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
