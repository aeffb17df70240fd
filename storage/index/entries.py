"""What a lister tells, one after the other, in the order of the keys."""

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A file or a directory that lies there. A tuple, since there are millions of them.

    Attributes:
        key: the path below the root; that of a directory ends in “/”.
        size: in bytes; 0 for a directory.
        modified_ns: in nanoseconds since 1970.
        etag: see `StoredFile.etag`.
        name: the last part as people see it; empty where the key tells it.
    """

    key: str
    size: int
    modified_ns: int
    etag: str = ""
    name: str = ""


class Anomaly(NamedTuple):
    """Something that lies there and becomes no row, or of which nothing could be learned.

    Attributes:
        key: where, in its place among the entries; what is no text in it is escaped before it is shown.
        kind: what, in a word; see `KINDS`.
        detail: the same as a sentence.
        masks: about these keys nothing is concluded; with a key that ends in “/”, about whatever begins so.
    """

    key: str
    kind: str
    detail: str
    masks: tuple[str, ...] = ()


class Gone(NamedTuple):
    """Told where what happens is told: nothing lies at a key any more, nor below it.

    Attributes:
        key: with or without a slash at its end; whether it was a file or a directory makes no difference.
    """

    key: str


class CursorPage(NamedTuple):
    """A piece of what is told by a cursor.

    Attributes:
        entries: in the order in which they are to be taken: the later word about a key holds. A directory's says nothing
            about what is below it; a file's, that nothing is.
        cursor: where it goes on behind this page. It is nobody's business.
        has_more: another page follows at once.
        tells_changes: what has changed since the first page was asked for is told by the last one; else each page speaks
            of its own time only.
    """

    entries: Sequence[Entry | Gone | Anomaly]
    cursor: str
    has_more: bool
    tells_changes: bool = True


class OutOfOrder(Exception):
    """A listing is not in the order of the index; it has to be sorted first."""


class CursorReset(Exception):
    """The place does not know the cursor any more; all of it has to be listed again."""


# What an anomaly may be, and whether something could not be learned because of it, which a run counts as an error.
KINDS = {
    "link": False,
    "special": False,
    "name": False,
    "too_long": False,
    "vanished": False,
    "unowned": False,
    "unknown_owner": False,
    "too_deep": True,
    "unreadable": True,
}
# As much as a column for it holds, which is from 1677 to 2262; disks know other times, too.
EARLIEST_NS, LATEST_NS = -(2**63), 2**63 - 1
LONGEST_KEY_BYTES = 2_000  # what an index of PostgreSQL holds for certain


def shown(key: str) -> str:
    """A key as text that every database and every terminal takes."""
    return key.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def kept_ns(modified_ns: int) -> int:
    """A time as a row keeps it: what no column holds is the first or the last that one does."""
    return min(max(modified_ns, EARLIEST_NS), LATEST_NS)


def name_of(key: str) -> str:
    """The last part of a key."""
    return key.rstrip("/").rpartition("/")[2]
