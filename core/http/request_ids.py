"""Each request has an id, which stands on its answer and in all lines that are logged meanwhile."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, unbind_contextvars

HEADER, FIELD = "X-Request-ID", "request_id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """Django middleware, before all others: whoever asks may say the id, so that one can follow it through several programs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer. The lines of the log go on to name it until the last byte is sent."""
        said = request.headers.get(HEADER, "")
        request_id = said if _ID.fullmatch(said) else uuid4().hex
        bind_contextvars(**{FIELD: request_id})
        response = self._get_response(request)
        response[HEADER] = request_id
        response._resource_closers.append(_forget)  # type: ignore[attr-defined]  # noqa: SLF001 - what Django closes with it
        return response


def _forget() -> None:
    unbind_contextvars(FIELD)
