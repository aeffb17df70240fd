"""What can be no text is refused in one place: a null character, which PostgreSQL does not keep, and bytes that are no UTF-8.

Nobody types either. Django would take the second for other characters, so that something else would be looked up or saved.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

from core.http import refusals

NULL = "\0"


class RefuseNoText:
    """Django middleware; behind whatever refuses a form by its size or its token before it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> HttpResponse | None:
        """Refuse an address or a form that no text of the console can be: nothing was looked up or saved."""
        # What is sent to a view that needs no token comes from a program, which signs the bytes that only it may read.
        is_form = request.method == "POST" and not getattr(view, "csrf_exempt", False)
        is_text = _is_utf_8(request.META.get("QUERY_STRING", "")) and NULL not in request.path
        if is_text and not _holds_one(request.GET) and not (is_form and _holds_one(request.POST)):
            return None
        return refusals.bad_request(request, BadRequest())


def _is_utf_8(query: str) -> bool:
    try:
        unquote_to_bytes(query.encode("latin-1")).decode()
    except UnicodeError:
        return False
    return True


def _holds_one(given: QueryDict) -> bool:
    return any(NULL in text for name, values in given.lists() for text in (name, *values))
