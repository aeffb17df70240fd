"""What is said of how fresh an answer is, and whether what appears is noticed by itself: only what is so."""

from collections.abc import Callable

from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.services.archive_index import ArchiveIndex, index_of
from discovery.services.archive_standing import held_by
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of
from leases.states import State
from leases.watching import Watched
from storage.errors import IndexBraked
from storage.models import IndexRun, RunState

APPEARS = "It is noticed by itself when the archive appears."
IN_PART = (
    "Only a part of its archive is seen with this Dropbox, so a report that is added there may not be noticed. It is noticed by itself "
    "when all of it is seen again."
)
CHANGES = "It is noticed by itself when a report is added or taken away, or the archive goes."
ANOTHERS = (
    "Its answer came from another Dropbox than is watched now: what changes there is found when the lease is run again."
)
ANY = "What appears there is noticed by itself."
BEHIND = "What has changed there is being read."
NOT_ASKED = "Dropbox could not be asked what has changed there; it is asked again by itself."
# For what the last run was held, which nobody goes on with by itself for a while.
BRAKED = "{missing:,} files and folders are missing there at once, so what has changed is held until somebody says whether that is meant."
STOPPED = "What has changed there is not being read, since somebody has stopped the run."
UNREAD = "What has changed there could not be read. {why}"
NOT_READ = "Its folder of archives was not read to its end yet, so what appears there is not noticed before."
NOT_WATCHED = "The archives of {agency} are not watched: what appears there is found when the lease is run again."


def watched_for(lease: Lease) -> Watched | None:
    """By the account with which the lease is run; two to four queries. None where there is no such account or agency."""
    configuration = configuration_of(lease.agency)
    if configuration is None or not configuration.enabled:
        return None
    account = (
        DropboxAccount.objects.filter(user=lease.initiated_by_id or 0).defer("refresh_token", "access_token").first()
    )
    if account is None:
        return None
    return _told(configuration, account, fresh=lambda index: _noticed(lease, index, account))


def _noticed(lease: Lease, index: ArchiveIndex, account: DropboxAccount) -> str:
    """What is noticed by itself; one query, or none."""
    if lease.state == State.NOT_FOUND:
        return APPEARS
    if lease.known_account not in {"", account.account_id}:
        return ANOTHERS
    archive = index.archives([lease.lease_number]).get(lease.lease_number)
    return IN_PART if archive and archive.is_partial else CHANGES


def watched_by(user: User) -> list[Watched]:
    """The agencies that are watched with this person's Dropbox; two queries, and one for each agency."""
    account = DropboxAccount.objects.of(user)
    if account is None:
        return []
    configured = AgencyStorageConfig.objects.filter(enabled=True, watched=True).order_by("agency")
    return [_told(each, account, fresh=lambda _: ANY) for each in configured if _index(each, account)]


def _told(
    configuration: AgencyStorageConfig, account: DropboxAccount, *, fresh: Callable[[ArchiveIndex], str]
) -> Watched:
    index = _index(configuration, account) if configuration.watched else None
    held = held_by(index.watch) if index and index.read_at is None and not index.is_being_read else None
    if index is None:
        words = NOT_WATCHED.format(agency=configuration.agency)
    elif index.is_fresh:
        words = fresh(index)
    elif held:
        words = _why_held(held)
    else:
        words = _why_not_fresh(index)
    return Watched(
        agency=configuration.agency,
        read_at=index.read_at if index else None,
        is_fresh=bool(index and index.is_fresh),
        words=words,
        held_by=held,
    )


def _why_held(run: IndexRun) -> str:
    if run.state == RunState.ABORTED:
        return STOPPED
    if run.failure_code == IndexBraked.code:
        return BRAKED.format(missing=run.missing_count)
    return UNREAD.format(why=run.refusal or run.failure_message)


def _why_not_fresh(index: ArchiveIndex) -> str:
    resting_until = index.watch.resting_until
    if resting_until is not None and resting_until > now():
        return NOT_ASKED
    return BEHIND if index.watch.root.cursor else NOT_READ


def _index(configuration: AgencyStorageConfig, account: DropboxAccount) -> ArchiveIndex | None:
    return index_of(
        account=account,
        base_path=configuration.runsheet_archive_base_path,
        poll_minutes=configuration.poll_minutes,
    )
