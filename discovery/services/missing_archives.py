"""The archives of an agency's leases that are missing: what is known of each before anybody makes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from cloud.models import DropboxAccount
from core.base.errors import Refused
from core.base.folding import fold_case
from discovery.services.near_others import not_of_others
from discovery.services.several_leases import agency_named
from leases.errors import InvalidLease
from leases.making import ABSENT
from leases.models import Lease
from leases.queries import configuration_of, leases_numbered, nearest_archives, usable
from leases.states import State
from leases.validation import archive_path, normalise_lease_number

HAS_ONE = "It has an archive, or nobody has looked for one: search for it first."
UNDER_WAY = "It is under way."
NEAR = "“{name}” lies right beside. Look at that one, and make it on the lease's own page."


class UnknownLease(Refused):
    """There is no such lease. Nothing was started."""

    code = "unknown_lease"
    field = "number"


class NothingMissing(Refused):
    """None of these leases lacks its archive, or all are under way. Nothing was started."""

    code = "nothing_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What would become of one lease by what is known now; the run looks again, and decides.

    Attributes:
        path: where its archive would be made.
        why_not: why it would not be made; empty: it would.
        is_seen: whether anybody could see what lies beside it.
    """

    lease: Lease
    path: str
    why_not: str
    is_seen: bool

    @property
    def is_startable(self) -> bool:
        """Whether a run is begun that decides."""
        return self.lease.state == State.NOT_FOUND and not self.lease.is_owed

    @property
    def sentence(self) -> str:
        if self.why_not:
            return f"would not be made. {self.why_not}"
        unseen = "" if self.is_seen else ", if no archive of a near name lies beside it, which nobody has seen yet"
        return f"“{self.path}” would be made{unseen}"


def leases_of(*, agency: str, numbers: Sequence[str]) -> QuerySet[Lease]:
    """The leases of an agency with these numbers; all of them whose archives are missing, where no number is given.

    Raises:
        UnknownAgency, InvalidLease, UnknownLease: there is none.
    """
    agency = agency_named(agency)
    if not numbers:
        return Lease.objects.filter(ABSENT, agency=agency)
    try:
        wanted = [normalise_lease_number(number) for number in numbers]
    except ValidationError as error:
        raise InvalidLease(str(error.messages[0])) from error
    found = leases_numbered(agency, wanted)
    known = {fold_case(number) for number in found.values_list("lease_number", flat=True)}
    if unknown := next((number for number in wanted if fold_case(number) not in known), None):
        raise UnknownLease(f"{agency} has no lease “{unknown}”. Nothing was started.")
    return Lease.objects.filter(pk__in=found.values("pk"))


def look_at_missing(leases: QuerySet[Lease], *, agency: str, user: User) -> list[Missing]:
    """What would become of each of them if its archive were made now, in the order of their numbers; Dropbox is not asked.

    Raises:
        UnknownAgency: there is no such agency.
        ConfigurationMissing, ConfigurationDisabled: nobody has said where its archives lie.
    """
    agency = agency_named(agency)
    base_path = usable(configuration_of(agency), agency=agency).runsheet_archive_base_path
    account = DropboxAccount.objects.used_by(user.pk)
    found = list(leases.order_by("lease_number"))
    near = nearest_archives(found)
    return [
        Missing(
            lease=lease,
            path=archive_path(base_path=base_path, lease_number=lease.lease_number),
            why_not=_why_not(lease, [each.name for each in near.get(lease.pk, ())], base_path, account),
            is_seen=lease.pk in near,
        )
        for lease in found
    ]


def _why_not(lease: Lease, near: list[str], base_path: str, account: DropboxAccount | None) -> str:
    if lease.is_owed:
        return UNDER_WAY
    if lease.state != State.NOT_FOUND:
        return HAS_ONE
    if account is None or not near:
        return NEAR.format(name=near[0]) if near else ""
    meant = not_of_others(near, lease=lease, base_path=base_path, account=account, namespace=lease.known_namespace)
    return NEAR.format(name=meant[0]) if meant else ""
