"""The interface for programs: who asks, and how failures are told. The routers of the apps are mounted in `core.interface`."""

import json
from functools import wraps
from typing import Any, cast, override

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest
from ninja import Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from api import failures, idempotency, queries, scopes
from api.bearer import Bearer
from api.etags import NotModified
from api.openapi import Interface
from api.scopes import Area
from api.sessions import NoCsrfToken, Session
from core.base.errors import RunsheetError

WORDS = """
The interface for programs. Each person, and each token of theirs, may do what the console lets the same person do.

Every answer with a status of 400 or more is `application/problem+json`. Its `code` stays the same from version to version and is what
a program decides by; its `detail` is for people. All addresses end in “/”.
""".strip()


def answering_heads(view: Any) -> Any:
    """A view that takes a HEAD wherever it takes a GET; what is answered has no body, which the server sees to."""

    @wraps(view)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> Any:
        response = view(request, *given, **values)
        if request.method != "HEAD" or "GET" not in response.headers.get("Allow", ""):
            return response
        request.method = "GET"
        try:
            return view(request, *given, **values)
        finally:
            request.method = "HEAD"

    return answered


class OnlyJson(Parser):
    """A body is JSON and says so: a form of another site's can say neither."""

    @override
    def parse_body(self, request: HttpRequest) -> Any:
        """The body.

        Raises:
            ValueError: it is something else.
        """
        if request.content_type != failures.JSON:
            raise ValueError(request.content_type)
        return cast("Any", json.loads(request.body, parse_float=_number, parse_constant=_no_number))


def _number(said: str) -> int | float:
    """JSON knows no whole numbers but those that are: 7.0 is 7."""
    number = float(said)
    return int(number) if number.is_integer() else number


def _no_number(said: str) -> Any:
    """Python would take NaN and Infinity, which JSON does not know.

    Raises:
        ValueError: always.
    """
    raise ValueError(said)


# Each further way to say who asks is one more in `auth`; a token stands first, since whoever sends one means it. What is read of it
# is in `api.reading`.
interface = Interface(
    title="Runsheet",
    version="1",
    description=WORDS,
    servers=[{"url": "/", "description": "The server that this description came from"}],
    urls_namespace="api",
    auth=[Bearer(), Session()],
    parser=OnlyJson(),
    docs_url=None,
    openapi_url=None,
)

for kind, told in (
    (Exception, failures.ours),
    (RunsheetError, failures.failed),
    (ValidationError, failures.invalid),
    (HttpError, failures.said_by_http),
    (AuthenticationError, failures.not_known),
    (NoCsrfToken, failures.no_csrf_token),
    (PermissionDenied, failures.forbidden),
    (Http404, failures.not_there),
    (RequestDataTooBig, failures.too_large),
    (NotModified, failures.not_modified),
):
    interface.add_exception_handler(kind, cast("Any", told))

# Before a view, the last one first, and around whatever answers.
interface.add_decorator(idempotency.once)
interface.add_decorator(queries.said_in_full)
interface.add_decorator(idempotency.kept, mode="view")


def mount(prefix: str, router: Router, *, tag: str, area: Area) -> None:
    """Put a router below an address of the interface.

    Args:
        tag: what its operations are called together.
        area: what a token has to be for, to use them.
    """
    scopes.declare(prefix, area)
    interface.add_router(prefix, router, tags=[tag])
