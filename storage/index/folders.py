"""What lies directly in a folder, found by as many steps as there are things in it, whatever lies further down.

A folder of an object store is no row: it is there because keys begin with its path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from storage.index.rows import end_of

# From one thing in the folder to the next: behind a file comes the next key, behind a folder whatever does not begin with
# it; "0" comes after "/".
CHILDREN = """
WITH RECURSIVE child AS (
    (SELECT id, key, position('/' IN substr(key, %(behind)s)) AS slash FROM storage_storedfile
     WHERE root_id = %(root)s AND key > %(folder)s AND (%(end)s = '' OR key < %(end)s) ORDER BY key LIMIT 1)
    UNION ALL
    SELECT next.id, next.key, position('/' IN substr(next.key, %(behind)s)) FROM child, LATERAL (
        SELECT id, key FROM storage_storedfile
        WHERE root_id = %(root)s AND (%(end)s = '' OR key < %(end)s) AND key >= CASE
            WHEN child.slash > 0 THEN left(child.key, %(behind)s + child.slash - 2) || '0' ELSE child.key || chr(1) END
        ORDER BY key LIMIT 1
    ) next
)
SELECT id, key, slash FROM child LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What lies in a folder.

    Attributes:
        key: that of a folder ends in “/”.
        file_id: its row; None for a folder that has none.
    """

    key: str
    file_id: int | None


def children(*, root_id: int, folder: str, limit: int) -> list[Child]:
    """The first things that lie directly in a folder, in the order of their keys.

    Args:
        folder: a key that ends in “/”; empty: the root itself.
    """
    return list(_children(root_id, folder, limit))


def _children(root_id: int, folder: str, limit: int) -> Iterator[Child]:
    given: dict[str, Any] = {
        "root": root_id,
        "folder": folder,
        "end": end_of(folder),
        "behind": len(folder) + 1,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHILDREN, given)
        for file_id, key, slash in cursor.fetchall():
            is_itself = not slash or len(folder) + slash == len(key)
            yield Child(key=key[: len(folder) + slash] if slash else key, file_id=file_id if is_itself else None)


def folder_of(key: str) -> str:
    """The folder in which a file or a folder lies; empty: the root itself."""
    above, slash, _ = key.rstrip("/").rpartition("/")
    return above + slash


def parents_of(folder: str) -> list[str]:
    """The folders from the root's first down to this one."""
    parts = folder.split("/")[:-1]
    return ["".join(f"{part}/" for part in parts[: length + 1]) for length in range(len(parts))]
