"""What of the start page follows the work, asked for again and again while work is owed."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.machine import following
from console.records.who import person
from discovery import start
from leases.states import State

WHAT = "start"


def overview(user: User, look: start.Look) -> dict[str, Any]:
    """The counts, what needs somebody, and what is under way."""
    counts = look.counts
    return {
        "counts": counts,
        "troubles": list(start.troubles(user)),
        "has_failures": any(each.count for each in counts if each.state == State.FAILED),
        "running": start.running(),
        "all_owed": look.all_owed,
        "outages": start.outages(),
        "seen": following.seen(user, what=WHAT, version=look.version),
    }


@require_safe
def follow(request: HttpRequest) -> HttpResponse:
    """The part of the page as it is now; 204 as long as it is what the person sees already.

    Raises:
        PermissionDenied: for who may not look, or no longer.
    """
    look = cache(start.look)
    if following.is_unchanged(request, what=WHAT, version=lambda: look().version):
        return HttpResponse(status=204)
    return admin.site.admin_view(_overview)(request, look)


def _overview(request: HttpRequest, look: Callable[[], start.Look]) -> HttpResponse:
    user = person(request)
    if not user.has_perm("leases.view_lease"):
        raise PermissionDenied
    context = overview(user, look()) | {"may_add": user.has_perm("leases.add_lease")}
    return render(request, "discovery/overview.html", context)
