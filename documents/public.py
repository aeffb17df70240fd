"""Everything that answers people outside, of whom nobody knows who they are: links to documents, and public documents.

What is promised of it, and which test holds it to that, stands in docs/documents.md. Nothing here asks for a session.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core.base.clock import now
from core.base.errors import Refused, RunsheetError, Temporary
from core.base.sizes import size_text
from core.http import tries
from core.http.logins import network_of
from core.http.tries import Counter
from core.ops import tally
from documents import serving
from documents.link_errors import LinkPasswordWrong, LinkSuspended, LinkUnknown, TooManyGuesses
from documents.models import DocumentVersion, ShareLink
from documents.ranges import RangeRefused
from documents.services import opening
from documents.serving import Content, FileAway

logger = logging.getLogger(__name__)

PAGE = "documents/outside.html"
# So many links and names that there are not may be tried from one address within `tries.WINDOW_S`.
UNKNOWN_PER_ADDRESS = 30
# The same of wrong passwords: of one link from one address, from one address, and of one link wherever from.
PASSWORDS_PER_LINK_AND_ADDRESS = 5
PASSWORDS_PER_ADDRESS = 30
PASSWORDS_PER_LINK = 100
# So long a browser need not type the password again, and may go on with a download that was cut off.
KNOWS_S = BEGUN_S = 3600
NOT_KEPT = "private, no-store, no-transform"
OUTSIDE = {"Cache-Control": NOT_KEPT, "X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}
# Under “no-referrer” a browser sends a form without saying from where, and Django takes no such form.
OF_A_FORM = {**OUTSIDE, "Referrer-Policy": "strict-origin"}

type View = Callable[..., HttpResponseBase]


def _outside(view: View) -> View:
    """A view whose answers nobody keeps, finds by a search or gives away; whatever it refuses is a page with one sentence."""

    @wraps(view)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> HttpResponseBase:
        try:
            response = view(request, *given, **values)
        except RunsheetError as error:
            response = _refused(request, error)
        for name, value in OUTSIDE.items():
            if name not in response or name == "Cache-Control":
                response[name] = value
        return response

    return answered


# --- Share links ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@_outside
def share(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the link opens, and the way to it; before that the password, where there is one.

    Raises:
        LinkUnknown, LinkRevoked, LinkExpired, LinkUsedUp, LinkSuspended, TooManyGuesses: it opens nothing.
    """
    link = _found(request, token)
    version = opening.opened(link=link, at=now()).version
    here = reverse("share", args=[token])
    if request.method == "POST":
        return _password_typed(request, link, here)
    if link.has_password and not _knows_password(request, link):
        return _page(request, {"asks": True})
    told = _told(version, reverse("share_download", args=[token]))
    return _page(request, {"link": link, "left": link.left, "shared_by": opening.name_outside(link.created_by), **told})


@require_safe
@_outside
def share_download(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file. Each is counted, but not what goes on with one that was begun in the same browser.

    Raises:
        LinkUnknown, LinkRevoked, LinkExpired, LinkUsedUp, LinkSuspended, TooManyGuesses: it opens nothing.
        FileAway, TooManyTransfers, PreconditionFailed: it is not to be had.
    """
    link = _found(request, token)
    begun = _begun(request, link)
    version = opening.opened(link=link, at=now(), has_begun=bool(begun)).version
    if link.has_password and not _knows_password(request, link):
        return HttpResponseRedirect(reverse("share", args=[token]))
    content = serving.of(version)
    goes_on = begun == content.sha256 and _is_later_part(request, content)
    # Whoever has a signed address may fetch from it again and again.
    response = serving.answer(request, content, is_counted=link.downloads_at_most is not None)
    if request.method == "GET" and response.status_code < HTTPStatus.BAD_REQUEST and not goes_on:
        _count(response, link, content)
    return response


# --- Public documents -------------------------------------------------------------------------------------------------


@require_safe
@_outside
def public(request: HttpRequest, unique_name: str) -> HttpResponseBase:
    """What everybody may have by that name, and the way to it.

    Raises:
        LinkUnknown, TooManyGuesses: nothing.
    """
    version = _named(request, unique_name)
    return _page(request, _told(version, reverse("public_document_download", args=[unique_name])))


@require_safe
@_outside
def public_download(request: HttpRequest, unique_name: str) -> HttpResponseBase:
    """The file.

    Raises:
        LinkUnknown, TooManyGuesses, TooManyTransfers, PreconditionFailed: it is not to be had.
    """
    content = serving.of(_named(request, unique_name))
    try:
        return serving.answer(request, content)
    except FileAway as error:
        raise LinkUnknown from error


# --- Who guesses ------------------------------------------------------------------------------------------------------


def _found(request: HttpRequest, token: str) -> ShareLink:
    with _Guess(request):
        return opening.find(token=token)


def _named(request: HttpRequest, unique_name: str) -> DocumentVersion:
    with _Guess(request):
        return opening.public_version(unique_name=unique_name)


class _Guess:
    """Something is looked up in the body by what somebody has shown; that there is no such thing counts.

    It is counted before it is looked at, so that whoever has tried too often is not told any more whether it was right.

    Raises:
        TooManyGuesses: it is not even looked up.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._counters = [_counter("unknown", network_of(request), limit=UNKNOWN_PER_ADDRESS)]

    def __enter__(self) -> None:
        if not tries.begin(self._counters):
            raise TooManyGuesses(retry_after_s=tries.WINDOW_S)

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is None or not issubclass(kind, LinkUnknown):
            tries.take_back(self._counters)


def _password_typed(request: HttpRequest, link: ShareLink, here: str) -> HttpResponseBase:
    """Lead back to the page, which knows the browser from then on; or ask again.

    Raises:
        TooManyGuesses: it is not even looked at.
    """
    network, of = network_of(request), str(link.pk)
    counters = [
        _counter("pair", of, network, limit=PASSWORDS_PER_LINK_AND_ADDRESS),
        _counter("passwords", network, limit=PASSWORDS_PER_ADDRESS),
        _counter("link", of, limit=PASSWORDS_PER_LINK),
    ]
    if not tries.begin(counters):
        raise TooManyGuesses(retry_after_s=tries.WINDOW_S)
    try:
        opening.require_password(link=link, password=request.POST.get("password", ""))
    except LinkPasswordWrong as wrong:
        tally.count("share_refusals", code=wrong.code)
        return _page(request, {"asks": True, "wrong": str(wrong)}, status=wrong.status)
    tries.succeed(counters)
    response = HttpResponseRedirect(here)
    _remember(response, _knowing(link), _fingerprint(link), seconds=KNOWS_S)
    return response


def _counter(kind: str, *parts: str, limit: int) -> Counter:
    return Counter(of="shares", key=tries.key_of("shares", kind, *parts), limit=limit)


# --- What a browser remembers -----------------------------------------------------------------------------------------


def _knows_password(request: HttpRequest, link: ShareLink) -> bool:
    return _remembered(request, _knowing(link), seconds=KNOWS_S) == _fingerprint(link)


def _begun(request: HttpRequest, link: ShareLink) -> str:
    """The checksum of what this browser has begun to fetch by the link, lately; empty: nothing."""
    return _remembered(request, _fetching(link), seconds=BEGUN_S)


def _is_later_part(request: HttpRequest, content: Content) -> bool:
    """Whether it asks for parts only that do not begin where the file does, as whoever goes on with one does."""
    try:
        parts = serving.wanted(request, content)
    except RangeRefused:
        return True
    return bool(parts) and all(part.start > 0 for part in parts)


def _count(response: HttpResponseBase, link: ShareLink, content: Content) -> None:
    """Count one that is about to go, or let it go no further.

    Raises:
        LinkRevoked, LinkExpired, LinkUsedUp: somebody was faster.
    """
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return
    try:
        opening.use(link=link, at=now())
    except RunsheetError:
        # Not `close`, which ends the whole request.
        for close in response._resource_closers:  # type: ignore[attr-defined]  # noqa: SLF001 - what Django closes with it
            close()
        raise
    _remember(response, _fetching(link), content.sha256, seconds=BEGUN_S)


def _knowing(link: ShareLink) -> str:
    return f"share-{link.pk}"


def _fetching(link: ShareLink) -> str:
    return f"share-{link.pk}-begun"


def _fingerprint(link: ShareLink) -> str:
    """Of its password as it is kept, so that who knew another one knows nothing."""
    return hashlib.sha256(link.password.encode()).hexdigest()


def _remember(response: HttpResponseBase, name: str, value: str, *, seconds: int) -> None:
    """In a cookie that nobody else can make, that only the addresses of links get, and that names no token."""
    response.set_signed_cookie(
        name,
        value,
        salt=name,
        max_age=seconds,
        path=reverse("share", args=["-"]).removesuffix("-/"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _remembered(request: HttpRequest, name: str, *, seconds: int) -> str:
    try:
        return request.get_signed_cookie(name, default="", salt=name, max_age=seconds) or ""
    except signing.BadSignature:
        return ""


# --- Pages ------------------------------------------------------------------------------------------------------------


def _told(version: DocumentVersion, download: str) -> dict[str, Any]:
    """What everybody who may have it may know of it: neither whose it is, nor what is said of it."""
    return {"version": version, "size": size_text(version.size), "download": download}


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    response = render(request, PAGE, context, status=status)
    for name, value in (OF_A_FORM if "asks" in context else OUTSIDE).items():
        response[name] = value
    return response


def _refused(request: HttpRequest, error: RunsheetError) -> HttpResponse:
    """A sentence for people who know nothing of what there is inside."""
    tally.count("share_refusals", code=error.code)
    if isinstance(error, FileAway) or not isinstance(error, Refused | Temporary):
        logger.warning("shares: what a link opens was not to be had: %s", error.code)
        error = LinkSuspended()
    response = _page(
        request, {"refusal": type(error).sentence()}, status=error.status or HTTPStatus.SERVICE_UNAVAILABLE
    )
    if isinstance(error, Temporary) and error.retry_after_s:
        response["Retry-After"] = str(int(error.retry_after_s))
    return response
