"""What is answered instead of a page: one sentence that says what is wrong, and a way back."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views.decorators.csrf import requires_csrf_token

from core.base import outages
from core.base.static_files import NotCollected
from core.http import kept_posts, problems

TEMPLATE = "core/refusal.html"
# Where not even the style sheets have a name.
BARE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{sentence}</p></html>'

NOT_UNDERSTOOD = "The console does not understand what your browser has sent. Go back and try it once more."
NOT_ALLOWED = "You may not see or do this. If you need it for your work, ask an administrator for the role that has it."
NOT_THERE = "There is nothing at this address. It may have been deleted since, or the address is not complete."
FORGED = (
    "Nothing was done: the page that you sent is too old, or your browser keeps no cookies for this console. Go back, "
    "load that page again, and send it once more."
)
BROKEN = (
    "Something is wrong in the console itself, and it stands in the log. What was saved before is safe, and what "
    "is under way goes on. Try it once more; if that fails, too, tell an administrator."
)
NO_PAGE = (
    "There is no page at this address: it takes only what a button or a form of the console sends. Nothing was done; go to "
    "the page with the button, and press it there."
)
TOO_SLOW = (
    "The database took too long over this, so it was stopped. Ask for less at once, for example by a narrower list, or try "
    "it again in a minute; if something was to be changed, look first whether it was."
)
MEANWHILE = (
    "Nothing of what you sent was saved. What was saved before is safe, and goes on by itself when that is mended."
)
IN_THE_WAY = "Somebody else, or a worker, is changing the same at the moment, so this was not done. Try it again in a few seconds."


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """400. What was sent cannot be trusted, so it is not asked who sent it."""
    told = problems.instead(request, "bad_request")
    return told or HttpResponse(_alone("That was not understood", NOT_UNDERSTOOD), status=400)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the reason where there is one."""
    words = _words(exception)
    told = problems.instead(request, "forbidden", words)
    return told or _refuse(request, "You may not do this", words or NOT_ALLOWED, status=403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404."""
    told = problems.instead(request, "not_found")
    return told or _refuse(request, "Nothing is here", NOT_THERE, status=404)


@requires_csrf_token
def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403 for a form without its token; but who has logged in anew in another tab sees it again, with a new token.

    No other site can plant anything there: its forms come without the cookie that tells this browser.
    """
    if told := problems.instead(request, "no_csrf_token"):
        return told
    if request.method == "POST" and admin.site.has_permission(request) and (address := kept_posts.keep(request)):
        return HttpResponseRedirect(address)
    return _refuse(request, "This page was too old", FORGED, status=403)


class SayWhatIsNoPage:
    """Django middleware: an address that is asked for in the wrong way says so, instead of an empty page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with a sentence where Django has none."""
        answer = self._get_response(request)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return answer
        allowed = answer["Allow"]
        told = problems.instead(
            request,
            "method_not_allowed",
            f"Nothing was done: this address takes {allowed} only.",
            headers={"Allow": allowed},
        )
        if told or request.method == "HEAD":
            return told or answer
        page = _refuse(request, "There is no page here", NO_PAGE, status=answer.status_code)
        page["Allow"] = allowed
        return page


class AsInProduction:
    """For development: there is a page of ours for what is not there, too, instead of one about the console's insides."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and look whether no address fitted at all."""
        answer = self._get_response(request)
        is_unknown = answer.status_code == 404 and request.resolver_match is None  # noqa: PLR2004 - HTTP's own
        return not_found(request, Http404()) if is_unknown else answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a page has refused; a bug shows itself."""
        if isinstance(exception, Http404):
            return not_found(request, exception)
        return bad_request(request, exception) if isinstance(exception, (BadRequest, SuspiciousOperation)) else None


def too_large(request: HttpRequest, *, size: int, limit: int) -> HttpResponse:
    """413, in bytes."""
    sent, most = f"{size / 1e6:.1f} MB", f"{limit / 1e6:.0f} MB"
    sentence = (
        f"Nothing was done: your browser sent {sent}, and at most {most} are taken at once. "
        "Go back, and choose a smaller file, or split it into several."
    )
    told = problems.instead(request, "too_large", f"Nothing was done: the body has {sent}, and may have {most}.")
    return told or _refuse(request, "This is too large", sentence, status=413)


def too_slow(request: HttpRequest) -> HttpResponse:
    """503 for a statement that was cut off. The database has enough to do."""
    told = problems.instead(request, "too_slow")
    return told or HttpResponse(_alone("This took too long", TOO_SLOW), status=503)


def in_the_way(request: HttpRequest) -> HttpResponse:
    """503 for one that has waited for somebody else's in vain."""
    told = problems.instead(request, "in_the_way")
    return told or HttpResponse(_alone("Somebody else is at it", IN_THE_WAY), status=503)


def outage(request: HttpRequest, words: str) -> HttpResponse:
    """503 for what the console itself lacks; nothing is asked of what may be out of order."""
    told = problems.instead(request, "outage", f"{words} Nothing of what you sent was saved.")
    return told or HttpResponse(_alone("The console is out of order", f"{words} {MEANWHILE}"), status=503)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500. The database may be what is broken, so nothing is asked of it."""
    error = sys.exception()  # outside of pages, as when a session is saved, Django hands it on in no other way
    if isinstance(error, NotCollected):
        return outage(request, str(error))
    if error and (words := outages.in_words(error)):
        return outage(request, words)
    told = problems.instead(request, "broken")
    return told or HttpResponse(_alone("This did not work", BROKEN), status=500)


def _refuse(request: HttpRequest, title: str, sentence: str, *, status: int) -> HttpResponse:
    if not hasattr(request, "user") or not admin.site.has_permission(request):
        return HttpResponse(_alone(title, sentence), status=status)
    context = {**admin.site.each_context(request), **_context(title, sentence)}
    return render(request, TEMPLATE, context, status=status)


def _alone(title: str, sentence: str) -> str:
    """The page without anything that would have to be looked up."""
    names = {"site_header": admin.site.site_header, "site_title": admin.site.site_title}
    try:
        return render_to_string(TEMPLATE, {**names, **_context(title, sentence)})
    except NotCollected:
        return format_html(BARE, **_context(title, sentence))


def _context(title: str, sentence: str) -> dict[str, Any]:
    return {"title": title, "sentence": sentence}


def _words(exception: Exception) -> str:
    return str(next(iter(exception.args), ""))
