"""How a program is told of failures. What each of them is in terms of HTTP stands on its class."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from api.errors import REALM, Challenging
from api.etags import NotModified
from api.sessions import NoCsrfToken
from core.base.errors import RunsheetError, Temporary
from core.http import problems

JSON = "application/json"
TOLD = 20  # so many fields; whoever sends more that are wrong mends these first
NAME_AT_MOST = 50  # characters of a field that there is not
# What a client that does not know who it is can do about that.
CHALLENGE = {"WWW-Authenticate": f"Bearer {REALM}, Session {REALM}"}
WHAT_HTTP_SAYS: Mapping[int, str] = {status: code for code, (status, _) in reversed(list(problems.KINDS.items()))}


def failed(_request: HttpRequest, error: RunsheetError) -> HttpResponse:
    """A failure of the product's.

    Raises:
        RunsheetError: it is nobody's fault who asks, and no matter of time.
    """
    if error.status is None:
        raise error
    detail = str(error)
    headers = {}
    if isinstance(error, Temporary) and error.retry_after_s:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if isinstance(error, Challenging):
        headers["WWW-Authenticate"] = error.challenges()
    return problems.problem(
        status=error.status,
        code=error.code,
        detail=detail,
        errors=[{"field": error.field, "detail": detail}] if error.field else (),
        headers=headers,
    )


def invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Fields that there are not, or that hold what they cannot hold."""
    told = [_of_field(each) for each in error.errors[:TOLD]]
    return problems.of_kind("invalid", " ".join(each["detail"] for each in told), errors=told)


def said_by_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the library has noticed before anybody of ours was asked."""
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return problems.of_kind("not_json" if request.content_type == JSON else "no_such_content_type")
    return problems.of_kind(WHAT_HTTP_SAYS.get(error.status_code, "bad_request"))


def not_known(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return problems.of_kind("not_logged_in", headers=CHALLENGE)


def no_csrf_token(_request: HttpRequest, _error: NoCsrfToken) -> HttpResponse:
    return problems.of_kind("no_csrf_token")


def forbidden(_request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problems.of_kind("forbidden", str(error))


def not_there(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return problems.of_kind("not_found")


def too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return problems.of_kind("too_large")


def not_modified(_request: HttpRequest, found: NotModified) -> HttpResponse:
    return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": found.etag})


def ours(_request: HttpRequest, error: Exception) -> HttpResponse:
    """A bug, or an outage: whoever answers for every page answers for this, too.

    Raises:
        Exception: it.
    """
    raise error


def _of_field(error: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with one field, as a sentence that names it."""
    of_what, *place = error["loc"]
    name = ".".join(str(each) for each in place[1:] or place)[:NAME_AT_MOST]
    if error["type"] == "extra_forbidden":
        kind = "parameter" if of_what == "query" else "field"
        return {"field": name, "detail": f"There is no {kind} “{name}”."}
    said = str(error["msg"])
    return {"field": name, "detail": f"“{name}”: {said[:1].lower()}{said[1:]}."}
