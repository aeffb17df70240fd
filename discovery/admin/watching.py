"""What is said of how fresh an answer is, and whether what appears is noticed by itself: only what is so."""

from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from discovery.services.archive_index import ArchiveIndex, index_of
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of
from leases.states import State
from leases.watching import Watched

APPEARS = "It is noticed by itself when the archive appears."
CHANGES = "It is noticed by itself when a report is added or taken away, or the archive goes."
ANOTHERS = (
    "Its answer came from another Dropbox than is watched now: what changes there is found when the lease is run again."
)
ANY = "What appears there is noticed by itself."
BEHIND = "What has changed there is being read."
NOT_READ = "Its folder of archives was not read to its end yet, so what appears there is not noticed before."
NOT_WATCHED = "The archives of {agency} are not watched: what appears there is found when the lease is run again."


def watched_for(lease: Lease) -> Watched | None:
    """By the account with which the lease is run; two or three queries. None where there is no such account or agency."""
    configuration = configuration_of(lease.agency)
    if configuration is None or not configuration.enabled:
        return None
    account = (
        DropboxAccount.objects.filter(user=lease.initiated_by_id or 0).defer("refresh_token", "access_token").first()
    )
    if account is None:
        return None
    if lease.state == State.NOT_FOUND:
        return _told(configuration, account, fresh=APPEARS)
    is_anothers = lease.known_account not in {"", account.account_id}
    return _told(configuration, account, fresh=ANOTHERS if is_anothers else CHANGES)


def watched_by(user: User) -> list[Watched]:
    """The agencies that are watched with this person's Dropbox; two queries, and one for each agency."""
    account = DropboxAccount.objects.of(user)
    if account is None:
        return []
    configured = AgencyStorageConfig.objects.filter(enabled=True, watched=True).order_by("agency")
    return [_told(each, account, fresh=ANY) for each in configured if _index(each, account)]


def _told(configuration: AgencyStorageConfig, account: DropboxAccount, *, fresh: str) -> Watched:
    index = _index(configuration, account) if configuration.watched else None
    if index is None:
        words = NOT_WATCHED.format(agency=configuration.agency)
    elif index.is_fresh:
        words = fresh
    else:
        words = BEHIND if index.watch.root.cursor else NOT_READ
    return Watched(
        agency=configuration.agency,
        read_at=index.read_at if index else None,
        is_fresh=bool(index and index.is_fresh),
        words=words,
    )


def _index(configuration: AgencyStorageConfig, account: DropboxAccount) -> ArchiveIndex | None:
    return index_of(
        account=account,
        base_path=configuration.runsheet_archive_base_path,
        poll_minutes=configuration.poll_minutes,
    )
