"""The start page."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from discovery import start
from discovery.overview import overview

register = template.Library()


@register.inclusion_tag("discovery/start.html")
def start_page(user: User | AnonymousUser) -> dict[str, Any]:
    """What this person needs to see first; what to do about it for who may not look at leases."""
    if not isinstance(user, User) or not user.has_perm("leases.view_lease"):
        return {"is_shown": False, "has_role": bool(user.get_all_permissions())}
    look = start.look()
    has_leases = any(each.count for each in look.counts)
    shown = overview(user, look)
    return {
        "is_shown": True,
        "may_add": user.has_perm("leases.add_lease"),
        **shown,
        "tasks": start.tasks(user, has_leases=has_leases) if user.has_perm("leases.run_discovery") else [],
        "health": start.health(user),
        "charts": [start.settled(), *start.measured()] if has_leases else [],
    }
