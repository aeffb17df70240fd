"""Reads that more than one place needs."""

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Lower, Now

from leases.errors import ConfigurationDisabled, ConfigurationMissing
from leases.models import AgencyStorageConfig, CloudLocation, Lease
from leases.states import State

DROPBOX = "dropbox"


def storage_configuration(agency: str) -> AgencyStorageConfig:
    """Where an agency's archives lie; there is no default and no fallback.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: naming the agency.
    """
    found = AgencyStorageConfig.objects.filter(agency=agency).first()
    if found is None:
        raise ConfigurationMissing(
            f"{agency} has no storage configuration. Add one under “Agency storage configurations”; it goes on by itself."
        )
    if not found.enabled:
        raise ConfigurationDisabled(
            f"The storage configuration of {agency} is switched off. Switch it on; it goes on by itself."
        )
    return found


def failures_of(user_id: int) -> list[tuple[str, int]]:
    """How many of the leases that somebody started have failed, by failure code, the most first."""
    failed = Lease.objects.filter(state=State.FAILED, initiated_by_id=user_id).order_by()
    counted = failed.values_list("failure_code").annotate(count=Count("pk")).order_by("-count", "failure_code")
    return list(counted)


def locations_at(path: str, *, provider: str = DROPBOX) -> QuerySet[CloudLocation]:
    """The one location at a path, in whatever case it was typed."""
    return CloudLocation.objects.alias(folded=Lower("path")).filter(provider=provider, folded=Lower(Value(path)))


def has_good_link(path: str) -> bool:
    """Whether a share link is stored for the path that has not expired."""
    unexpired = Q(share_expires_at__isnull=True) | Q(share_expires_at__gt=Now())
    return locations_at(path).exclude(share_url="").filter(unexpired).exists()
