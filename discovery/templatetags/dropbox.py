"""What every page of the console says about one's own Dropbox."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from discovery.errors import NeedsReconnect
from discovery.models import DropboxAccount
from discovery.services.dropbox_accounts import waiting_for_dropbox, what_is_wrong
from leases.notices import list_of_failed

register = template.Library()


@register.inclusion_tag("discovery/banner.html", takes_context=True)
def dropbox_banner(context: dict[str, Any]) -> dict[str, Any]:
    """One banner, however many leases have failed for want of a Dropbox; nothing if nothing is wanted."""
    request = context.get("request")
    user: User | AnonymousUser | None = getattr(request, "user", None)
    if request is None or not isinstance(user, User) or not user.is_staff:
        return {"is_wanted": False}
    account = DropboxAccount.objects.of(user)
    count = waiting_for_dropbox(user).count()
    reason = what_is_wrong(user, account)
    return {
        "is_wanted": bool(reason or count),
        "reason": reason,
        "is_connected": account is not None,
        "count": count,
        "list_url": list_of_failed(NeedsReconnect.code, user_id=user.pk),
        "next": request.get_full_path(),
    }
