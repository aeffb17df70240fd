"""What a run stands on: where the archives of its lease lie, and whose Dropbox it uses."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from cloud.models import DropboxAccount
from discovery.services import waiting
from discovery.services.archive_index import ArchiveIndex, index_of
from discovery.services.archive_looks import look_at_once
from discovery.services.indexed_sightings import IndexedSighting, answered_in_index, is_watched, sightings_in_index
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """As it was when the run began.

    Attributes:
        configuration: of the lease's agency; None if there is none.
        account: of whoever started the run; None if they have connected none.
    """

    configuration: AgencyStorageConfig | None
    account: DropboxAccount | None

    def lent_to(self, lease: Lease) -> Lease:
        """The lease, with the person whose Dropbox it uses, so that nobody reads that person again."""
        if self.account:
            lease.initiated_by = self.account.user
        return lease

    def index(self) -> ArchiveIndex | None:
        """What answers for many leases at once, be it fresh or not; one query. None if there is none, or may not be used."""
        account, configuration = self.account, self.configuration
        if account is None or configuration is None or not is_watched(account=account, configuration=configuration):
            return None
        return index_of(
            account=account,
            base_path=configuration.runsheet_archive_base_path,
            poll_minutes=configuration.poll_minutes,
        )

    def index_for(self, lease: Lease) -> ArchiveIndex | None:
        """The same. Where it is not fresh, and this lease is one of many, Dropbox is asked first what has changed: one call.

        Where nobody has read the folder yet, or much has changed, a run of the index begins, for which they wait.
        """
        index = self.index()
        is_at_hand = index is not None and (index.is_fresh or index.is_being_read)
        account, configuration = self.account, self.configuration
        if is_at_hand or account is None or configuration is None or not settings.ARCHIVE_WATCH_EVERY_S:
            return index
        if not (is_watched(account=account, configuration=configuration) and waiting.are_many(lease)):
            return index
        look_at_once(account=account, configuration=configuration)
        return self.index()

    def in_index(self, leases: Sequence[Lease], index: ArchiveIndex | None) -> dict[int, IndexedSighting]:
        """What the index says of those leases for which it may speak, by their primary keys."""
        if not leases or self.account is None or self.configuration is None:
            return {}
        return sightings_in_index(leases, index=index, account=self.account, configuration=self.configuration)

    def count_in_index(self, leases: Sequence[Lease]) -> int:
        """Of how many of the leases the index says anything now; they need not be in the database."""
        if not leases or self.account is None or self.configuration is None:
            return 0
        return answered_in_index(leases, index=self.index(), account=self.account, configuration=self.configuration)

    def waits(self, lease: Lease, index: ArchiveIndex) -> bool:
        """Whether the lease waits until the index has been read."""
        return self.account is not None and waiting.waits(lease, index=index, account=self.account)


def given_to(lease: Lease) -> Given:
    """What the leases of one person and agency stand on; two reads, for all that follows."""
    account = DropboxAccount.objects.used_by(lease.initiated_by_id) if lease.initiated_by_id else None
    given = Given(configuration=configuration_of(lease.agency), account=account)
    given.lent_to(lease)
    return given
