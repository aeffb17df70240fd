"""What of one's own has failed, and what is watched, on the pages where one looks first."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from console.notices.addresses import list_of_failed
from core.base.errors import failure_of, words_for
from leases.models import Lease
from leases.queries import failures_of
from leases.watching import watched_by

register = template.Library()


@register.inclusion_tag("admin/leases/watched.html")
def watched_archives(user: User | AnonymousUser) -> dict[str, Any]:
    """Which agencies' archives are watched with this person's Dropbox, and how fresh that is; nothing if none are."""
    may_see = isinstance(user, User) and user.has_perm("leases.view_lease")
    found = watched_by(user) if may_see and isinstance(user, User) else []
    return {"watched": [(each, each.held_url(user) if isinstance(user, User) else "") for each in found]}


@register.inclusion_tag("admin/leases/failures.html")
def my_failures(user: User | AnonymousUser) -> dict[str, Any]:
    """The failed leases that this person started, by reason, each leading to its list; nothing if there are none."""
    if user.pk is None or not user.has_perm("leases.view_lease"):
        return {"failures": []}
    failures = [
        {"reason": words_for(code), "count": count, "url": list_of_failed(Lease, code, user_id=user.pk)}
        for code, count in failures_of(user.pk)
        if not failure_of(code).for_others
    ]
    return {"failures": failures}
