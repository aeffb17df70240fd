"""The clock is read here and nowhere else, so that tests can set it."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present instant, aware, UTC."""
    return timezone.now()
