"""Very many archives in one go, for measurements: a million entries in seconds."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropbox_standin.inputs import NotUnderstood, fields_of, number, text
from dropbox_standin.names import split
from dropbox_standin.tree import Occupied

if TYPE_CHECKING:
    from dropbox_standin.tree import Namespace

MOST_ENTRIES = 5_000_000
CONTENT = b"A scan like any other.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Archives of the same kind, in one folder; the same crowd has the same names every time.

    Attributes:
        path: the folder they are put into.
        archives: how many; they are called `{prefix} 0000001` and so on.
        files: how many are in each.
        report_every: in every so many archives, the last file is a report; 0 for none.
    """

    path: str
    archives: int
    files: int
    prefix: str = "NMNM"
    report_every: int = 3

    @property
    def entries(self) -> int:
        return self.archives * (1 + self.files)


def read(given: Any) -> Crowd:
    """A crowd from its JSON.

    Raises:
        NotUnderstood: it is none, or too large.
    """
    if not isinstance(given, dict):
        raise NotUnderstood("a crowd is an object with path, archives, files, prefix and report_every")
    fields_of(given, "path", "archives", "files", "prefix", "report_every")
    crowd = Crowd(
        path=text(given.get("path"), "path"),
        archives=int(number(given.get("archives"), "archives", least=1)),
        files=int(number(given.get("files"), "files", least=0)),
        prefix=text(given.get("prefix", "NMNM"), "prefix"),
        report_every=int(number(given.get("report_every", 3), "report_every", least=0)),
    )
    if not crowd.path.startswith("/") or not split(crowd.path) or "/" in crowd.prefix:
        raise NotUnderstood("a crowd's path begins with a slash and names a folder; its prefix is a part of a name")
    if crowd.entries > MOST_ENTRIES:
        raise NotUnderstood(f"a crowd has at most {MOST_ENTRIES:,} entries, not {crowd.entries:,}")
    return crowd


def put(namespace: Namespace, crowd: Crowd) -> int:
    """Make the archives that are not there yet; returns how many entries were made.

    Raises:
        NotUnderstood: a file stands in the way.
    """
    scans = [f"scan {at:04}.tif" for at in range(1, crowd.files + 1)]
    collects = gc.isenabled()
    gc.disable()  # nothing here is garbage, and looking for it again and again takes longer than all the rest
    try:
        base = namespace.put_folder(split(crowd.path))
        made = 0
        for at in range(1, crowd.archives + 1):
            name = f"{crowd.prefix} {at:07}"
            has_report = crowd.files > 0 and crowd.report_every > 0 and at % crowd.report_every == 0
            files = [*scans[:-1], f"{name} Master Documents.pdf"] if has_report else scans
            made += namespace.put_crowded(base, name, files, content=CONTENT)
        namespace.note_all_beneath(base)
    except Occupied as occupied:
        raise NotUnderstood(f"the crowd cannot be put: {occupied.node.name!r} is in the way") from None
    finally:
        if collects:
            gc.enable()
    return made
