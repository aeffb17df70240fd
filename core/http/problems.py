"""What a program is told instead of a page: one problem, as JSON, wherever the failure is met (RFC 9457).

It is a program that asks for anything below `/api/`. The texts are those of the interface; the console has its own.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from core.base.errors import words_for

API = "/api/"
CONTENT_TYPE = "application/problem+json"

# What can be wrong before anybody knows what is wished for, by its code.
KINDS: Mapping[str, tuple[HTTPStatus, str]] = {
    "bad_request": (HTTPStatus.BAD_REQUEST, "The request is not valid: its address, a header or its body."),
    "not_json": (HTTPStatus.BAD_REQUEST, "The body is no JSON. Send one JSON object, in UTF-8."),
    "not_logged_in": (
        HTTPStatus.UNAUTHORIZED,
        "It is not known who asks. Send a token as “Authorization: Bearer …”, or log in and send the cookie of the session.",
    ),
    "forbidden": (HTTPStatus.FORBIDDEN, "You may not see or do this. Ask an administrator for the role that may."),
    "no_csrf_token": (
        HTTPStatus.FORBIDDEN,
        "Nothing was done: the session's token is missing or wrong. Send what its cookie holds as X-CSRFToken.",
    ),
    "not_found": (HTTPStatus.NOT_FOUND, "There is nothing at this address. All addresses end in “/”."),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take that method."),
    "not_acceptable": (
        HTTPStatus.NOT_ACCEPTABLE,
        "Nothing was done: answers are application/json, which is not among what you accept. Send another Accept, or none.",
    ),
    "too_large": (HTTPStatus.CONTENT_TOO_LARGE, "Nothing was done: the body is too large."),
    "no_such_content_type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be application/json."),
    "body_coded": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Nothing was done: the body is compressed, which is not taken. Send it as it is, without a Content-Encoding.",
    ),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "Some of what was sent is not valid."),
    "broken": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something is wrong in the server itself, and it stands in its log. What was saved before is safe.",
    ),
    "too_slow": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database took too long over this, so it was stopped. Look whether it was done, then try again.",
    ),
    "in_the_way": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Somebody else is changing the same at the moment, so this was not done. Try again in a few seconds.",
    ),
    "outage": (HTTPStatus.SERVICE_UNAVAILABLE, "The server is out of order. Nothing was saved; try again later."),
}


def is_for_a_program(request: HttpRequest) -> bool:
    """Whether an answer to that is read by a program."""
    return request.path_info.startswith(API)


def instead(
    request: HttpRequest, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None
) -> HttpResponse | None:
    """The problem, where a program asks; None: somebody in front of a browser wants a page."""
    return of_kind(code, detail, headers=headers) if is_for_a_program(request) else None


def of_kind(
    code: str,
    detail: str = "",
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem of one of the `KINDS`.

    Args:
        detail: empty: what is always said of that kind.
    """
    status, sentence = KINDS[code]
    return problem(status=status, code=code, detail=detail or sentence, errors=errors, headers=headers)


def problem(
    *,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem as it is sent; nothing is asked of anybody for it.

    Args:
        detail: one sentence, or a few: what is wrong, and what to do.
        errors: by field, what is wrong with it.
    """
    said: dict[str, Any] = {
        "type": f"urn:runsheet:problem:{code}",
        "title": words_for(code).capitalize(),
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    if errors:
        said["errors"] = list(errors)
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return JsonResponse(said, status=status, content_type=CONTENT_TYPE, headers=sent)
