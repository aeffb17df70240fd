"""`{% load listing %}`: what the form of a lease needs beside the admin's own tags."""

from django import template
from django.conf import settings

from leases.models import Lease

register = template.Library()

TO_TRY_SHOWN = 3


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
