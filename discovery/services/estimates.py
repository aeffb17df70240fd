"""For how many leases the index would have an answer just now."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet

from cloud.models import DropboxAccount
from discovery.services.givens import Given
from leases.models import Lease
from leases.queries import configuration_of

# So many of an agency are looked up; of more it is told by these.
LOOKED_UP = 500


def answered_from_index(leases: QuerySet[Lease], user: User) -> int:
    """About how many of the leases are answered without a call if this person runs them now."""
    account = DropboxAccount.objects.used_by(user.pk)
    agencies = leases.order_by().values_list("agency").annotate(count=Count("pk"))
    return sum(_answered(leases, agency, count, account) for agency, count in agencies)


def answered_if_made(*, agency: str, numbers: Sequence[str], user: User) -> int:
    """About how many leases with these numbers, which are none yet, would be answered without a call."""
    # None of the database has such a key, so that nothing is known of them.
    some = [Lease(pk=-at, agency=agency, lease_number=number) for at, number in enumerate(numbers[:LOOKED_UP], 1)]
    given = Given(configuration=configuration_of(agency), account=DropboxAccount.objects.used_by(user.pk))
    return len(numbers) * given.count_in_index(some) // max(len(some), 1)


def _answered(leases: QuerySet[Lease], agency: str, count: int, account: DropboxAccount | None) -> int:
    some = list(leases.filter(agency=agency).order_by("pk")[:LOOKED_UP])
    given = Given(configuration=configuration_of(agency), account=account)
    # They may be gone since they were counted.
    return count * given.count_in_index(some) // max(len(some), 1)
