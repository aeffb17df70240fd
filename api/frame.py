"""The interface for programs: who asks, and how failures are told. The routers of the apps are mounted in `core.interface`."""

import json
from functools import wraps
from typing import Any, cast, override

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from api import failures, idempotency, scopes
from api.bearer import Bearer
from api.etags import NotModified
from api.scopes import Area
from api.sessions import NoCsrfToken, Session
from core.base.errors import RunsheetError


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
        return cast("Any", json.loads(request.body))


# Each further way to say who asks is one more in `auth`; a token stands first, since whoever sends one means it. There is no page to read and try it yet.
interface = NinjaAPI(
    title="Runsheet",
    version="1",
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

# Before a view, and around whatever answers.
interface.add_decorator(idempotency.once)
interface.add_decorator(idempotency.kept, mode="view")


def mount(prefix: str, router: Router, *, tag: str, area: Area) -> None:
    """Put a router below an address of the interface.

    Args:
        tag: what its operations are called together.
        area: what a token has to be for, to use them.
    """
    scopes.declare(prefix, area)
    interface.add_router(prefix, router, tags=[tag])
