"""What the index has learned of what lies beside the archives: which lease knows it otherwise, and why it is worth asking."""

from datetime import timedelta

from core.base.clock import now
from discovery.services.archive_index import ArchiveIndex, IndexedArchive
from leases.models import Beside, Lease, Seen
from leases.states import SETTLED

# What could not be told is asked for once more after that.
ASKED_AGAIN_AFTER = timedelta(minutes=5)


def reason_beside(lease: Lease, which: Beside, *, archive: IndexedArchive | None, index: ArchiveIndex) -> str:
    """Why a lease is worth asking what lies beside its archive; empty: it is not.

    Whoever was never told of any is not told that there is none, either. Nothing follows from a file of that name, or from a
    directory that is seen in part: only Dropbox itself is asked about those, by who runs the lease by hand. What has failed is
    asked again once its archive can be. What is there stands, whoever has not seen it; that it is gone is not for another account.

    Args:
        archive: what lies there under the number of the lease; None: nothing does.
    """
    path = _path(lease, index)
    if lease.state not in SETTLED:
        return ""
    is_known = lease.seen(which, path=path) == Seen.FOUND
    if archive is None:
        may_say = lease.account_beside(which, path=path) in {"", index.watch.account_id}
        return f"the {which.label.lower()} is gone" if is_known and may_say else ""
    is_there = archive.is_directory and not archive.is_partial
    return f"the {which.label.lower()} appeared" if is_there and not is_known else ""


def is_too_soon(lease: Lease, which: Beside, *, index: ArchiveIndex) -> bool:
    """Whether the lease was told after the index was read, or Dropbox was asked in vain, a short while ago, what is gone."""
    path = _path(lease, index)
    at = lease.looked_beside_at(which) if lease.account_beside(which, path=path) else None
    if at is not None and index.read_at is not None and at > index.read_at:
        return True
    is_in_vain = lease.seen(which, path=path) == Seen.FOUND and lease.why_unseen(which, path=path) != ""
    return is_in_vain and now() - lease.entered_at < ASKED_AGAIN_AFTER


def _path(lease: Lease, index: ArchiveIndex) -> str:
    return f"{index.watch.base_path}/{lease.lease_number}"
