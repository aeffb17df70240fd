"""Who asks for a page."""

from django.contrib.auth.models import User
from django.http import HttpRequest


def person(request: HttpRequest) -> User:
    """Who asks; the admin site lets nobody in who is not logged in."""
    assert isinstance(request.user, User)
    return request.user
