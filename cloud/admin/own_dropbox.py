"""What every page of the console says about one's own Dropbox."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.errors import NeedsReconnect
from cloud.services.accounts import standing_of
from console.notices.addresses import list_of_waiting
from leases.models import Lease

# The start page has its own list of what to begin with.
INVITING = ("admin:leases_lease_changelist", "admin:leases_lease_add", "admin:leases_batch_import")


def link(_request: HttpRequest) -> SafeString:
    """The way to it."""
    return format_html('<a href="{}">Your Dropbox</a>', reverse("dropbox_account"))


def banner(request: HttpRequest) -> SafeString | str:
    """One banner, however many leases have failed for want of a Dropbox; nothing if nothing is wanted."""
    user: User | AnonymousUser | None = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_staff:
        return ""
    standing = standing_of(user)
    is_lost = bool(standing.reason or standing.waiting_count)
    if not is_lost and (standing.account is not None or not _is_invited(request, user)):
        return ""
    shown = {
        "is_lost": is_lost,
        "reason": standing.reason,
        "is_connected": standing.account is not None,
        "count": standing.waiting_count,
        "list_url": list_of_waiting(Lease, NeedsReconnect.code, user_id=user.pk),
        "next": request.get_full_path(),
    }
    return render_to_string("cloud/banner.html", shown)


def _is_invited(request: HttpRequest, user: User) -> bool:
    """Where runs are started, whoever may start them is shown the way before the first one fails."""
    match = request.resolver_match
    return match is not None and match.view_name in INVITING and user.has_perm("leases.run_discovery")
