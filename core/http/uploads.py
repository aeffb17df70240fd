"""What is too large is refused before it is read: nothing of it is parsed, kept in memory or written to a file."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from core.http import refusals

# A browser sends first and reads then. What is thrown away meanwhile lets it see the answer, within bounds.
THROWN_AWAY_BYTES = 200_000_000
THROWN_AWAY_WITHIN_S = 20
AT_ONCE = 65_536


class RefuseTooLarge:
    """Django middleware; before whatever looks for a token in the form, and thereby reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Answer in the view's place, by which time it is known who asks."""
        size = _announced(request)
        if size <= settings.REQUEST_BYTES_MAX:
            return None
        _throw_away(request, size)
        return refusals.too_large(request, size=size, limit=settings.REQUEST_BYTES_MAX)


def _announced(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdecimal() else 0


def _throw_away(request: HttpRequest, size: int) -> None:
    left, until = min(size, THROWN_AWAY_BYTES), time.monotonic() + THROWN_AWAY_WITHIN_S
    try:
        while left > 0 and time.monotonic() < until and (piece := request.read(min(left, AT_ONCE))):
            left -= len(piece)
    except UnreadablePostError:
        pass  # whoever sent it has gone
