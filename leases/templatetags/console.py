"""`{% load console %}`: what a state, an instant and a duration look like, and what stands in the frame of every page."""

import re
from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from console.machine import badges
from console.shell import times
from leases.models import Lease
from leases.notices import unread_notices

register = template.Library()

TO_TRY_SHOWN = 3
# What RQ calls its pages where one is.
QUEUES = ">Django RQ</a>"

register.simple_tag(badges.state_badge)
register.simple_tag(badges.sign)
register.simple_tag(badges.mark)
register.simple_tag(times.ago)
register.simple_tag(times.countdown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the main navigation.

    Attributes:
        address: the name of its address.
        right: who holds it is shown the entry.
        key: what to press to go there.
        also: what else of the console belongs to the place, by how the addresses begin, below that of the start page.
    """

    label: str
    address: str
    right: str = ""
    key: str = ""
    also: tuple[str, ...] = ()


PLACES = (
    Place(label="Start", address="admin:index", key="g"),
    Place(label="Leases", address="admin:leases_lease_changelist", right="leases.view_lease", key="l"),
    Place(label="Imports and runs", address="admin:leases_batch_changelist", right="leases.view_lease"),
    Place(
        label="Agencies",
        address="admin:leases_agencystorageconfig_changelist",
        right="leases.view_agencystorageconfig",
    ),
    Place(label="Archives", address="admin:leases_cloudlocation_changelist", right="leases.view_cloudlocation"),
    Place(
        label="People",
        address="admin:auth_user_changelist",
        right="auth.view_user",
        also=("auth/group/", "discovery/dropboxaccount/"),
    ),
    Place(
        label="System",
        address="system",
        right="statemachine.use_queues",
        also=("django_rq/", "statemachine/transitionlog/", "leases/failurenotice/all/"),
    ),
)


@register.filter
def trail(html: SafeString) -> SafeString:
    """The way to a page that Django or RQ has made, in the words of the main navigation."""
    named = html.replace(">Home</a>", ">Start</a>")
    if QUEUES in named:
        named = named.replace(QUEUES, ">Queues</a>")
        above = f'<a href="{reverse("system")}">System</a> &rsaquo; '
        named = re.sub(r'(<a href="[^"]*">Queues</a>)', rf"{above}\1", named, count=1)
    return mark_safe(named)  # noqa: S308 - safe before; what is added is ours


@register.inclusion_tag("admin/leases/nav.html", takes_context=True)
def console_nav(context: dict[str, Any]) -> dict[str, Any]:
    """The places that the person may go to."""
    request = context.get("request")
    if request is None:
        return {}
    start = reverse("admin:index")
    shown = [place for place in PLACES if not place.right or request.user.has_perm(place.right)]
    items = [
        {
            "label": place.label,
            "key": place.key,
            "url": (url := reverse(place.address)),
            "is_current": request.path == url
            or (url != start and request.path.startswith(url))
            or request.path.startswith(tuple(start + each for each in place.also)),
            "is_search": place.key == "l",
        }
        for place in shown
    ]
    return {"items": items}


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


@register.inclusion_tag("admin/leases/bell.html", takes_context=True)
def bell(context: dict[str, Any]) -> dict[str, Any]:
    """How many notices the person has not read."""
    user: User | AnonymousUser | None = context.get("user")
    if not isinstance(user, User) or not user.has_perm("leases.view_lease"):
        return {}
    return {"is_shown": True, "count": unread_notices(user.pk).count()}
