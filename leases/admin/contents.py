"""What lies in a lease's archive, for its page; read by whoever knows that without asking the cloud."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from leases.models import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A file or folder that lies directly in an archive.

    Attributes:
        size: in words; empty for a folder.
        changed_at: empty for a folder.
        url: where it is at Dropbox; the browser asks Dropbox, not we.
        is_report: its name is that of a previous report.
    """

    name: str
    is_directory: bool
    size: str
    changed_at: datetime | None
    url: str
    is_report: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What lies in an archive, the reports first.

    Attributes:
        lying: no more than are shown.
        more: how many are not.
        all_url: the list of all of it.
        read_at: what it says was so at this instant; None if it may be otherwise by now, and nobody knows since when.
    """

    lying: Sequence[Lying]
    more: int
    all_url: str
    read_at: datetime | None


type Reader = Callable[[Lease, User], Contents | None]

_readers: list[Reader] = []


def read_by(reader: Reader) -> None:
    """Let somebody say what lies in an archive; whoever does not know says None."""
    _readers.append(reader)


def contents_of(lease: Lease, user: User) -> Contents | None:
    """What lies in the archive of a lease; None if nobody knows, or it has none."""
    found = (reader(lease, user) for reader in _readers)
    return next((each for each in found if each), None) if lease.runsheet_directory_id else None
