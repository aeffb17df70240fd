"""How long requests took and how they ended, counted for all processes together: is the console slow, or does it fail?"""

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.http import problems
from core.ops import tally


class TimeRequests:
    """Django middleware, above whatever may refuse a request; probes of health and files of the pages do not count.

    What counts is the time until the answer begins: how long it is on its way is up to who reads it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer. It is counted once the last byte is sent, so that nobody waits for that."""
        if request.path.startswith(settings.STATIC_URL):
            return self._get_response(request)
        began = time.monotonic()
        response = self._get_response(request)
        count = partial(_count, time.monotonic() - began, area=_area(request), outcome=_outcome(response.status_code))
        response._resource_closers.append(count)  # type: ignore[attr-defined]  # noqa: SLF001 - what Django closes with it
        return response


def _count(seconds: float, *, area: str, outcome: str) -> None:
    tally.observe("request_seconds", seconds, area=area, outcome=outcome)


def _area(request: HttpRequest) -> str:
    if problems.is_for_a_program(request):
        return "api"
    return "console" if request.path.startswith(f"/{settings.ADMIN_PATH}/") else "other"


def _outcome(status: int) -> str:
    if status < HTTPStatus.BAD_REQUEST:
        return "ok"
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return "refused"
    return "unavailable" if status == HTTPStatus.SERVICE_UNAVAILABLE else "error"
