"""What every page of the console says about one's own Dropbox."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from discovery.errors import NeedsReconnect
from discovery.services.dropbox_accounts import standing_of
from leases.notices import list_of_waiting

register = template.Library()

# The start page has its own list of what to begin with.
INVITING = ("admin:leases_lease_changelist", "admin:leases_lease_add", "admin:leases_batch_import")


@register.inclusion_tag("discovery/banner.html", takes_context=True)
def dropbox_banner(context: dict[str, Any]) -> dict[str, Any]:
    """One banner, however many leases have failed for want of a Dropbox; nothing if nothing is wanted."""
    request = context.get("request")
    user: User | AnonymousUser | None = getattr(request, "user", None)
    if request is None or not isinstance(user, User) or not user.is_staff:
        return {"is_wanted": False}
    standing = standing_of(user)
    is_lost = bool(standing.reason or standing.waiting_count)
    return {
        "is_wanted": is_lost or (standing.account is None and _is_invited(request, user)),
        "is_lost": is_lost,
        "reason": standing.reason,
        "is_connected": standing.account is not None,
        "count": standing.waiting_count,
        "list_url": list_of_waiting(NeedsReconnect.code, user_id=user.pk),
        "next": request.get_full_path(),
    }


def _is_invited(request: HttpRequest, user: User) -> bool:
    """Where runs are started, whoever may start them is shown the way before the first one fails."""
    match = request.resolver_match
    return match is not None and match.view_name in INVITING and user.has_perm("leases.run_discovery")
