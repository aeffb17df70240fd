"""`{% load listing %}`: what the list of leases needs beside the admin's own tags."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django import template
from django.contrib.auth.models import User

from leases.models import Lease

if TYPE_CHECKING:
    from leases.admin.change_list import LeaseChangeList

register = template.Library()


@register.filter
def beside(results: Iterable[Any], leases: Iterable[Lease]) -> Iterator[tuple[Any, Lease]]:
    """Each row's cells with its lease."""
    return zip(results, leases, strict=True)


@register.simple_tag
def poll_url(listed: "LeaseChangeList", user: User) -> str:
    """Where the rows are asked for anew; empty if nothing will change by itself."""
    return listed.poll_url(user) if listed.is_followed else ""
