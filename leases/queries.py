"""Reads that more than one place needs."""

from datetime import datetime

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


def linked_location(path: str) -> CloudLocation | None:
    """The location at the path, if a share link is stored for it that has not expired."""
    unexpired = Q(share_expires_at__isnull=True) | Q(share_expires_at__gt=Now())
    return locations_at(path).exclude(share_url="").filter(unexpired).first()


def take_link_check(location: CloudLocation, *, before: datetime, at: datetime) -> bool:
    """Whether it is the caller who checks the share link now: nobody has since then, and nobody else does.

    Args:
        before: a check before this instant is too old.
        at: the present instant.
    """
    due = Q(share_checked_at__isnull=True) | Q(share_checked_at__lt=before)
    return bool(CloudLocation.objects.filter(due, pk=location.pk).update(share_checked_at=at))


def finders_of(location: CloudLocation) -> QuerySet[Lease, int | None]:
    """The numbers of the people whose runs have led to it."""
    return Lease.objects.filter(runsheet_directory=location).values_list("initiated_by", flat=True)
