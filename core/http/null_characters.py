"""PostgreSQL keeps no text with a null character, and nobody types one: what holds one is refused in one place."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

NULL = "\0"


class RefuseNullCharacters:
    """Django middleware; behind whatever refuses a form by its size or its token before it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> None:
        """Refuse an address or a form that no text of the console can be.

        Raises:
            BadRequest: nothing was looked up or saved.
        """
        # What is sent to a view that needs no token comes from a program, which signs the bytes that only it may read.
        is_form = request.method == "POST" and not getattr(view, "csrf_exempt", False)
        if NULL in request.path or _holds_one(request.GET) or (is_form and _holds_one(request.POST)):
            raise BadRequest


def _holds_one(given: QueryDict) -> bool:
    return any(NULL in text for name, values in given.lists() for text in (name, *values))
