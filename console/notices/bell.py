"""The bell at the top right of every page."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.notices.queries import count_unread, rights_among, seen_by


def bell(request: HttpRequest) -> SafeString | str:
    """How many notices the person has not read; empty for who has none to read."""
    user = request.user
    if not isinstance(user, User) or not (machines := seen_by(user)):
        return ""
    count = count_unread(user.pk, machines=machines, rights=rights_among(user, machines))
    return render_to_string("console/notices/bell.html", {"count": count})
