"""What every page of the console says about one's own Dropbox."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.dependants import dependants
from cloud.services.accounts import standing_of


def link(_request: HttpRequest) -> SafeString:
    """The way to it."""
    return format_html('<a href="{}">Your Dropbox</a>', reverse("dropbox_account"))


def banner(request: HttpRequest) -> SafeString | str:
    """One banner, however much has failed for want of a Dropbox; nothing if nothing is wanted."""
    user: User | AnonymousUser | None = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_staff:
        return ""
    standing = standing_of(user)
    is_lost = bool(standing.reason or standing.waiting)
    invitations = [] if is_lost or standing.account else _invitations(request, user)
    if not is_lost and not invitations:
        return ""
    shown = {
        "is_lost": is_lost,
        "reason": standing.reason,
        "is_connected": standing.account is not None,
        "invitations": invitations,
        "waiting": [(some, some.of.list_of_waiting(user)) for some in standing.waiting],
        "next": request.get_full_path(),
    }
    return render_to_string("cloud/banner.html", shown)


def _invitations(request: HttpRequest, user: User) -> list[str]:
    """Where runs are started, whoever may start them is shown the way before the first one fails."""
    page = request.resolver_match.view_name if request.resolver_match else ""
    return [each.invitation for each in dependants() if page in each.inviting and user.has_perm(each.right)]
