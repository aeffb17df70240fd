"""What is too large is refused before it is read: nothing of it is parsed, kept in memory or written to a file."""

import time
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict

from core.http import refusals
from core.http.transfers import Incoming

# A browser sends first and reads then. What is thrown away meanwhile lets it see the answer, within bounds.
THROWN_AWAY_BYTES = 200_000_000
THROWN_AWAY_WITHIN_S = 20
AT_ONCE = 65_536
_turn = BoundedSemaphore(1)
# Stands on a view that reads its body itself: by which methods.
STREAMED = "_streamed_by"


class RefuseTooLarge:
    """Django middleware; before whatever looks for a token in the form, and thereby reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> HttpResponse | None:
        """Answer in the view's place, by which time it is known who asks."""
        if request.method in getattr(view, STREAMED, ()):
            request.is_streamed = True  # type: ignore[attr-defined]  # read by `core.http.kept_posts` and by the console
            request.read(0)  # a body that has been begun with is parsed, and thereby kept, by nobody else
            return None
        size = announced(request)
        if size <= settings.REQUEST_BYTES_MAX:
            return None
        throw_away(request, size=size)
        return refusals.too_large(request, size=size, limit=settings.REQUEST_BYTES_MAX)


def streamed(view: Any, *methods: str) -> None:
    """Let a view take bodies of any size by these methods: it reads them itself, piece by piece, and sets a limit of its own."""
    setattr(view, STREAMED, frozenset(methods))


def refused_token(request: HttpRequest, fields: Mapping[str, str]) -> HttpResponse | None:
    """The answer to a form without the token against forgery, whose body the view reads itself; None: it has it.

    Args:
        fields: what the view has read of the form; its POST is that from now on.
    """
    form = QueryDict(mutable=True)
    form.update(fields)
    request._post, request._files = form, MultiValueDict()  # type: ignore[attr-defined]  # noqa: SLF001 - read by POST and FILES
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # the view has asked for that before
    return CsrfViewMiddleware(_answers_nothing).process_view(request, _answers_nothing, (), {})


def _answers_nothing(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def announced(request: HttpRequest) -> int:
    """How many bytes the body has, as whoever sends it says; 0 where nobody does."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdecimal() else 0


def throw_away(request: HttpRequest, *, size: int, read: Callable[[int], bytes] | None = None) -> None:
    """Read the rest of a body, within bounds, so that who sends it sees the answer.

    One at a time, since each holds a thread of its process. Who comes while it is somebody else's turn, or sends on for too
    long, loses the connection with the answer, and may not see it.

    Args:
        read: reads what is left of it; None: as the request does.
    """
    left, until, body = (
        min(size, THROWN_AWAY_BYTES),
        time.monotonic() + THROWN_AWAY_WITHIN_S,
        request.META.get("wsgi.input"),
    )
    take = read or request.read
    incoming = body if isinstance(body, Incoming) else None
    is_mine = _turn.acquire(blocking=False)
    try:
        if incoming and is_mine:
            incoming.hurry()
        while is_mine and left > 0 and time.monotonic() < until:
            piece = take(min(left, AT_ONCE))
            left = left - len(piece) if piece else 0
    except OSError:
        pass  # whoever sent it has gone
    finally:
        if is_mine:
            _turn.release()
        if incoming and left > 0:
            incoming.give_up()
