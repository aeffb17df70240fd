"""What lies in a lease's archive; read by whoever knows that without asking the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.contrib.auth.models import User
from django.urls import reverse

from core.base.sizes import size_text
from leases.models import Lease
from storage.admin.places import FILES, IN

# An archive has some dozen files; whoever has laid in more sees the rest in the list.
SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A file or folder that lies directly in an archive.

    Attributes:
        size_bytes: None for a folder.
        changed_at: None for a folder.
        url: where it is at Dropbox; the browser asks Dropbox, not we.
        is_report: its name is that of a previous report.
    """

    name: str
    is_directory: bool
    size_bytes: int | None
    changed_at: datetime | None
    url: str
    is_report: bool

    @property
    def size(self) -> str:
        """In words; empty for a folder."""
        return "" if self.size_bytes is None else size_text(self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What lies in an archive, the reports first.

    Attributes:
        lying: no more than were asked for.
        more: how many are not among them.
        folder: where it is in storage, as a path that begins with the root's name.
        read_at: what it says was so at this instant; None if it may be otherwise by now, and nobody knows since when.
    """

    lying: Sequence[Lying]
    more: int
    folder: str
    read_at: datetime | None

    @property
    def all_url(self) -> str:
        """The list of all of it."""
        return reverse(FILES, query={IN: self.folder})


class Reader(Protocol):
    """Somebody who knows what lies in an archive, the first of it; None: not in this one."""

    def __call__(self, lease: Lease, user: User, *, at_most: int) -> Contents | None: ...


_readers: list[Reader] = []


def read_by(reader: Reader) -> None:
    """Let somebody say what lies in an archive; whoever does not know says None."""
    _readers.append(reader)


def contents_of(lease: Lease, user: User, *, at_most: int = SHOWN) -> Contents | None:
    """What lies in the archive of a lease; None if nobody knows, or it has none, or this is not for the person."""
    found = (reader(lease, user, at_most=at_most) for reader in _readers)
    return next((each for each in found if each), None) if lease.runsheet_directory_id else None
