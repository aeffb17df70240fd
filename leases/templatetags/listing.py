"""`{% load listing %}`: what the list and the form of leases need beside the admin's own tags."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.contrib.auth.models import User

from leases.models import Lease

if TYPE_CHECKING:
    from leases.admin.change_list import LeaseChangeList

register = template.Library()

TO_TRY_SHOWN = 3


@register.filter
def beside(results: Iterable[Any], leases: Iterable[Lease]) -> Iterator[tuple[Any, Lease]]:
    """Each row's cells with its lease."""
    return zip(results, leases, strict=True)


@register.simple_tag
def poll_url(listed: "LeaseChangeList", user: User) -> str:
    """Where the rows are asked for anew; empty if nothing will change by itself."""
    return listed.poll_url(user) if listed.is_followed else ""


@register.simple_tag
def leases_to_try() -> list[str]:
    """What somebody who tries the console may add: proposed by the settings, and no lease yet."""
    proposed = [each.split(" ", maxsplit=1) for each in settings.LEASES_TO_TRY]
    taken = set(
        Lease.objects.filter(lease_number__in=[number for _, number in proposed]).values_list("agency", "lease_number")
        if proposed
        else ()
    )
    return [f"{number} of {agency}" for agency, number in proposed if (agency, number) not in taken][:TO_TRY_SHOWN]
