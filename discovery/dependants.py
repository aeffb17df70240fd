"""What leases do with people's Dropbox: they wait for one, go on when it comes, and stand on what was found in it."""

from collections.abc import Collection, Mapping, Sequence
from typing import override

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from cloud.dependants import Dependant, Opening, Sight
from cloud.errors import CONNECTED, NeedsReconnect, TokensUnreadable
from cloud.findings import Finding
from cloud.models import CloudLocation, DropboxAccount
from console.notices.addresses import list_of_waiting
from core.base.errors import mended_by
from discovery.services.account_check import check_account
from discovery.services.archive_opening import open_archive
from discovery.services.archive_watches import look_again, look_at_once
from leases.models import Lease
from leases.services import resume_failed, try_at_once
from leases.states import WORKING, State


class Leases(Dependant):
    """As the process sees them; `discovery.reactions` has what happens when a run fails at the moment of connecting."""

    model = Lease
    work = "discovery"
    right = "leases.run_discovery"
    invitation = "Leases that you start are looked for in it."
    # The start page has its own list of what to begin with.
    inviting = ("admin:leases_lease_changelist", "admin:leases_lease_add", "admin:leases_batch_import")
    sight = Sight(
        meaning="Looks for the folders of every agency, as your leases will. Changes nothing.",
        nothing="No agency is configured yet, so there is no folder to look for.",
        failed="Which of the agencies' folders are seen with it could not be looked at; it stands in the log.",
    )

    @override
    def connected(self, user: User, *, event: str) -> int:
        failed = Lease.objects.filter(initiated_by=user, state=State.FAILED, failure_code__in=mended_by(event))
        resumed = resume_failed(failed, reason="Dropbox was connected")
        try_at_once(_wanting_dropbox(user))
        look_again(DropboxAccount.objects.filter(user=user))
        return resumed

    @override
    def readable_again(self, usernames: Collection[str]) -> None:
        unread = Lease.objects.filter(failure_code=TokensUnreadable.code, initiated_by__username__in=usernames)
        resume_failed(unread, reason="the key that Dropbox's tokens are read with was found")

    @override
    def changed(self, account_ids: Collection[str]) -> None:
        look_at_once(account_ids)

    @override
    def under_way(self, user: User) -> QuerySet[Lease]:
        return Lease.objects.filter(initiated_by=user, state__in=WORKING)

    @override
    def waiting(self, user: User) -> Mapping[str, int]:
        has_failed = Q(state=State.FAILED, due_at__isnull=True)
        waiting = _wanting_dropbox(user).filter(has_failed | Q(state__in=WORKING)).order_by()
        return dict(waiting.values_list("failure_code").annotate(count=Count("pk")))

    @override
    def list_of_waiting(self, user: User) -> str:
        return list_of_waiting(Lease, NeedsReconnect.code, user_id=user.pk)

    @override
    def look_through(self, user: User) -> Sequence[Finding]:
        return check_account(user=user)

    @override
    def standing_on(self, location: CloudLocation) -> QuerySet[Lease]:
        return Lease.objects.filter(runsheet_directory=location)

    @override
    def opening(self, location: CloudLocation, user: User) -> Opening:
        """Of what no lease stands on any more, too: it was an archive once."""
        return open_archive(location=location, user=user)


def _wanting_dropbox(user: User) -> QuerySet[Lease]:
    """The leases of this person whose last try had no Dropbox to use."""
    return Lease.objects.filter(initiated_by=user, failure_code__in=mended_by(CONNECTED))
