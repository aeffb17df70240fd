"""Many leases wait for a moment while the folder of their archives is being read as a whole, instead of asking one by one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cloud.models import DropboxAccount
from core.base.errors import Temporary
from discovery.services.archive_index import ArchiveIndex
from leases.models import Lease
from leases.services import try_at_once

# So few are asked for sooner than the folder is read.
FEW = 10
# Whoever has waited for so long asks Dropbox, whatever the reading has come to.
AT_MOST = timedelta(minutes=5)
# Dropbox is asked what has changed by one call.
LOOK_LASTS = timedelta(seconds=10)
# One of those that wait together looks whether they may go on; the others are woken by whoever sees that first.
LOOKS_AGAIN_S, OTHERS_LOOK_AGAIN_S = 2.0, 20.0


class ArchivesBeingRead(Temporary):
    """The folder of all archives is being read as a whole; this lease waits until that is done."""

    code = "archives_being_read"
    words = "waits until the archives have been read"
    advice = "Nothing: it goes on by itself once the archives have been read"
    costs_try = False
    goes_on = "It goes on by itself then, or after some minutes."


class Postponed(Temporary):
    """Others of the same order took all the time that this run had."""

    code = "postponed"
    words = "lets others go first"
    advice = "Nothing: it goes on by itself"
    costs_try = False
    goes_on = "It goes on by itself in a moment."


def waits(lease: Lease, *, index: ArchiveIndex | None, account: DropboxAccount) -> bool:
    """Whether a lease waits for the index rather than ask Dropbox: one of many, and not for ever. One query at most."""
    at = account.read_at  # type: ignore[attr-defined]  # annotated by `used_by`
    if index is None or index.is_fresh or not (index.is_being_read or _is_being_looked_at(index, at=at)):
        return False
    return at - lease.entered_at < AT_MOST and are_many(lease)


def _is_being_looked_at(index: ArchiveIndex, *, at: datetime) -> bool:
    """Whether somebody has begun, a moment ago, to ask Dropbox what has changed, and has not answered yet."""
    looked_at = index.watch.looked_at
    is_answered = looked_at is None or (index.read_at is not None and index.read_at >= looked_at)
    return not is_answered and looked_at is not None and at - looked_at < LOOK_LASTS


def are_many(lease: Lease) -> bool:
    """Whether more than a few leases like this one, of its person and agency, are owed work in the background."""
    alike = Lease.objects.filter(initiated_by=lease.initiated_by_id, agency=lease.agency, background=True)
    return alike.filter(due_at__isnull=False).order_by()[: FEW + 1].count() > FEW


def wait_for_it(count: int) -> list[Temporary]:
    """What so many leases are put back with, which are tried again together; it costs them no try."""
    delays = [LOOKS_AGAIN_S, *[OTHERS_LOOK_AGAIN_S] * (count - 1)]
    return [ArchivesBeingRead(retry_after_s=delay_s) for delay_s in delays[:count]]


def wake_the_others(leases: Sequence[Lease]) -> int:
    """Let those go on at once that wait for what these are answered from; how many. No query for one alone."""
    if len(leases) <= 1 and all(lease.failure_code != ArchivesBeingRead.code for lease in leases):
        return 0
    alike = Lease.objects.filter(initiated_by=leases[0].initiated_by_id, agency=leases[0].agency)
    return try_at_once(alike.filter(failure_code=ArchivesBeingRead.code))
