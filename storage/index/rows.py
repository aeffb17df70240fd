"""The rows of a root, page by page in the order of their keys. No cursor is held open between the pages."""

from collections.abc import Iterator

from django.db import connection

from storage.index.merging import BATCH, Row
from storage.models import IndexRun

PAGE = f"""
SELECT key, size, modified_ns, etag, id,
    CASE WHEN state = 'present' THEN NULL
        WHEN state = 'missing' AND missing_since <= statement_timestamp() - %(grace)s THEN 'expired' ELSE state END,
    owner_id, sha256
FROM storage_storedfile
WHERE root_id = %(root)s AND key > %(after)s {{bound}}
ORDER BY key LIMIT {BATCH}
"""  # noqa: S608 - numbers of ours
BELOW = "AND key < %(end)s"


def rows(run: IndexRun, *, after: str, prefix: str) -> Iterator[Row]:
    """The rows below the prefix behind that key."""
    statement = PAGE.format(bound=BELOW if prefix else "")
    given = {"root": run.root_id, "grace": run.grace, "end": end_of(prefix)}
    # What stands at the prefix itself belongs to it.
    after = after or prefix[:-1]
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, given | {"after": after})
            page = cursor.fetchall()
        yield from page
        if len(page) < BATCH:
            return
        after = page[-1][0]


def end_of(prefix: str) -> str:
    """The first key behind all that begin with a directory's."""
    return prefix[:-1] + "0" if prefix else ""  # "0" comes after "/"
