"""The page of one's own Dropbox connection, the way to Dropbox and back, and the way out."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from cloud.dependants import Dependant, Some, dependants, many_of_each, needs_dropbox, one_of_each, works
from cloud.errors import AccountBusy, AppRefused, DropboxNotConnected
from cloud.findings import Finding
from cloud.oauth_session import Attempt, Replacement, keep_replacement, replacement, take_replacement
from cloud.services import accounts as dropbox_accounts
from cloud.services.accounts import Authorisation
from core.base.errors import RunsheetError
from core.http import lists

logger = logging.getLogger(__name__)

PROBLEM = "dropbox_problem"
NAMED_AT_MOST = 20
LONGEST_PATH = 1_000

NOT_BEGUN_HERE = (
    "This answer of Dropbox does not belong to anything that you have begun in this browser: it was used before, you "
    "have begun anew or logged in again meanwhile, or somebody else sent you here. Nothing was stored. The console has "
    "to be open at {console}."
)
TOO_LATE = "More than half an hour has passed since you began. Nothing was stored."
DENIED = "You did not allow Runsheet to use your Dropbox, or Dropbox did not let you. Nothing was stored."
SCOPES_UNKNOWN = (
    "The Dropbox app has not all permissions that Runsheet needs ({scopes}). Ask an administrator to switch them on in "
    "the app's settings. Nothing was stored."
)
NONE_CONNECTED = "No Dropbox account is connected."
NO_ANSWER = "Dropbox could not ask you just now. Nothing was stored."
NOT_STORED = (
    "What Dropbox granted could not be stored here, and was given back. Try again; if that fails, too, tell an "
    "administrator."
)
APP_UNKNOWN = f"{AppRefused.sentence()} Nothing was stored."
DENIALS = {"access_denied": DENIED, "invalid_scope": SCOPES_UNKNOWN, "unauthorized_client": APP_UNKNOWN}


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Whose Dropbox one's runs use, what is wrong with it, and what can be done about it."""
    user = _person(request)
    waiting = _waiting(request)
    standing, asked = dropbox_accounts.standing_of(user), dropbox_accounts.asked_scopes()
    context = {
        **admin.site.each_context(request),
        "title": "Your Dropbox",
        "account": standing.account,
        "new": waiting.authorisation.identity if waiting else None,
        "problem": request.session.pop(PROBLEM, ""),
        "wrong": standing.reason,
        "next": _safe_path(request.GET.get("next", "")),
        "may_connect": needs_dropbox(user),
        "unneeded": sorted(set(standing.account.scopes) - asked) if standing.account else [],
        "required": sorted(asked),
        "is_lacking_write": dropbox_accounts.lacks_write(standing.account),
        "writes": settings.DROPBOX_MAKES_ARCHIVES,
        "waiting": standing.waiting,
        "sights": [each.sight.meaning for each in dependants()],
        "seen": " and ".join(each.many for each in dependants() if each.may_be_seen_by(user)),
        "works": works(),
        "many": many_of_each(),
    }
    return render(request, "cloud/account.html", context)


@require_POST
def connect(request: HttpRequest) -> HttpResponse:
    """Off to Dropbox."""
    _may_connect(request)
    attempt = Attempt.begin(request.session, next_path=_safe_path(request.POST.get("next", "")))
    try:
        address = dropbox_accounts.begin_authorisation(
            state=attempt.state, verifier=attempt.verifier, redirect_uri=_redirect_uri()
        )
    except (RunsheetError, ImproperlyConfigured) as error:
        return _explain(request, str(error), next_path=attempt.next)
    return HttpResponseRedirect(address)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Back from Dropbox. Whatever came is answered by another page, so that no code stays in the address bar."""
    if not admin.site.has_permission(request):
        # Without what came: it belongs to a session that is over, and has no business in another address.
        return redirect_to_login(reverse("dropbox_callback"), login_url=reverse(settings.LOGIN_URL))
    _may_connect(request)
    given = {name: values for name, values in request.GET.lists() if name in ("state", "code", "error")}
    if any(len(values) > 1 for values in given.values()):  # RFC 6749 forbids it, and whoever does it tries something
        given = {}
    answer = {name: values[0] for name, values in given.items()}
    attempt = Attempt.take(request.session, state=answer.get("state", ""))
    if attempt is None:
        return _explain(request, NOT_BEGUN_HERE.format(console=settings.CONSOLE_URL))
    if attempt.is_over:
        return _explain(request, TOO_LATE, next_path=attempt.next)
    if not answer.get("code") or "error" in answer:
        scopes = ", ".join(sorted(dropbox_accounts.asked_scopes()))
        sentence = DENIALS.get(answer.get("error", ""), NO_ANSWER).format(scopes=scopes)
        return _explain(request, sentence, next_path=attempt.next)
    response = _finish(request, attempt, code=answer["code"])
    lists.note_write(request)  # which nobody would take a GET for
    return response


def _finish(request: HttpRequest, attempt: Attempt, *, code: str) -> HttpResponse:
    try:
        authorisation = dropbox_accounts.authorise(code=code, verifier=attempt.verifier, redirect_uri=_redirect_uri())
    except (RunsheetError, ImproperlyConfigured) as error:
        return _explain(request, f"{error} Nothing was stored.", next_path=attempt.next)
    step = partial(_ask_or_store, request, authorisation, next_path=attempt.next)
    return _or_give_back(step, request, authorisation, next_path=attempt.next)


def _ask_or_store(request: HttpRequest, authorisation: Authorisation, *, next_path: str) -> HttpResponse:
    if not dropbox_accounts.replaced_by(authorisation, user=_person(request)):
        return _store(request, authorisation, next_path=next_path)
    earlier = take_replacement(request.session)
    try:
        keep_replacement(request.session, authorisation, next_path=next_path)
    finally:
        if earlier:
            dropbox_accounts.decline(earlier.authorisation)
    return HttpResponseRedirect(_address(next_path))


def _or_give_back(
    step: Callable[[], HttpResponse], request: HttpRequest, authorisation: Authorisation, *, next_path: str
) -> HttpResponse:
    """Nobody could ever revoke a grant of Dropbox's that is stored nowhere, so it must not outlive any failure to store it."""
    try:
        return step()
    except Exception as error:
        dropbox_accounts.decline(authorisation)
        if isinstance(error, RunsheetError | ImproperlyConfigured):
            return _explain(request, f"{error} Nothing was stored.", next_path=next_path)
        logger.exception("what Dropbox has granted could not be stored, and was given back")
        if not connection.in_atomic_block:  # what is to be explained is kept in the database, too
            connection.close_if_unusable_or_obsolete()
        return _explain(request, NOT_STORED, next_path=next_path)


@require_POST
def replace(request: HttpRequest) -> HttpResponse:
    """The person's word about a second Dropbox account: it replaces the first, or it is given back."""
    _may_connect(request)
    waiting = _waiting(request)
    if waiting is None:
        return _explain(request, "Nothing waits for your word any more. Connect Dropbox again.")
    take_replacement(request.session)
    if request.POST.get("decision") == "replace":
        step = partial(_store, request, waiting.authorisation, next_path=waiting.next)
        return _or_give_back(step, request, waiting.authorisation, next_path=waiting.next)
    dropbox_accounts.decline(waiting.authorisation)
    messages.info(request, "Everything stays as it was.")
    return HttpResponseRedirect(waiting.next)


def _waiting(request: HttpRequest) -> Replacement | None:
    """What waits for the person's word; what has waited for too long is given back."""
    waiting = replacement(request.session)
    if waiting is None or not waiting.is_over:
        return waiting
    take_replacement(request.session)
    dropbox_accounts.decline(waiting.authorisation)
    return None


def _store(request: HttpRequest, authorisation: Authorisation, *, next_path: str) -> HttpResponse:
    made = dropbox_accounts.connect(user=_person(request), authorisation=authorisation)
    messages.success(request, " ".join([f"Dropbox is connected as {made.account}.", *map(_resumed, made.resumed)]))
    _tell_sight(request)
    return HttpResponseRedirect(next_path)


def _tell_sight(request: HttpRequest) -> None:
    """Say what is seen of what is looked for. Whatever fails here must not undo what is connected."""
    for each in dependants():
        try:
            found = each.look_through(_person(request))
        except Exception:
            logger.exception("which folders a newly connected Dropbox sees could not be looked at")
            messages.warning(request, each.sight.failed)
        else:
            _tell(request, found)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Look once more what one's own Dropbox sees of what is looked for."""
    _may_connect(request)
    for each in dependants():
        found = each.look_through(_person(request))
        _tell(request, found)
        if not found:
            messages.info(request, each.sight.nothing)
    return HttpResponseRedirect(reverse("dropbox_account"))


def _tell(request: HttpRequest, found: Sequence[Finding]) -> None:
    for finding in found:
        (messages.success if finding.is_good else messages.warning)(request, finding.text)


def _resumed(some: Some) -> str:
    return f"{some} that waited for it start{'s' if some.count == 1 else ''} again."


@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: HttpRequest) -> HttpResponse:
    """Say what it would mean and ask; asked, revoke at Dropbox and forget here."""
    return _disconnect(request) if request.method == "POST" else _ask_about_end(request)


def _ask_about_end(request: HttpRequest) -> HttpResponse:
    user = _person(request)
    account = dropbox_accounts.standing_of(user).account
    if account is None:
        messages.info(request, NONE_CONNECTED)
        return HttpResponseRedirect(reverse("dropbox_account"))
    context = {
        **admin.site.each_context(request),
        "title": f"Disconnect {account}?",
        "account": account,
        "under_way": [(some, _named(some.of, user)) for some in dropbox_accounts.interrupted(user)],
        "one": one_of_each(),
    }
    return render(request, "cloud/disconnect.html", context)


def _named(dependant: Dependant, user: User) -> list[tuple[str, Model]]:
    """The first of what is under way, each with its page."""
    return [(dependant.page_url(each), each) for each in dependant.under_way(user)[:NAMED_AT_MOST]]


def _disconnect(request: HttpRequest) -> HttpResponse:
    try:
        ended = dropbox_accounts.disconnect_account(user=_person(request))
    except DropboxNotConnected:
        messages.info(request, NONE_CONNECTED)
    except AccountBusy as error:
        messages.error(request, str(error))
    else:
        _tell_end(request, ended)
    return HttpResponseRedirect(reverse("dropbox_account"))


def _tell_end(request: HttpRequest, ended: dropbox_accounts.Disconnection) -> None:
    sentences = [f"{ended.name} is disconnected; nothing of it is stored here any more."]
    if not ended.revoked:
        sentences.append(
            "Dropbox could not be told. To be sure, remove Runsheet at Dropbox itself, under Settings, Connected apps."
        )
    sentences += (
        f"{some.of.many.capitalize()} that were under way with it and will fail unless you connect again: {some.count}."
        for some in ended.interrupted
    )
    (messages.success if ended.revoked else messages.warning)(request, " ".join(sentences))


def _explain(request: HttpRequest, sentence: str, *, next_path: str = "") -> HttpResponse:
    """Say on the account's page what went wrong; the way to try again is there."""
    request.session[PROBLEM] = sentence
    return HttpResponseRedirect(_address(next_path))


def _address(next_path: str) -> str:
    here = reverse("dropbox_account")
    return f"{here}?{urlencode({'next': next_path})}" if next_path not in ("", here) else here


def _safe_path(wanted: str) -> str:
    """A path of this console to come back to; one's own connection's page if it would lead anywhere else."""
    harmless = wanted.startswith("/") and wanted.isprintable() and len(wanted) <= LONGEST_PATH
    harmless = harmless and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if harmless else reverse("dropbox_account")


def _redirect_uri() -> str:
    return settings.CONSOLE_URL + reverse("dropbox_callback")


def _may_connect(request: HttpRequest) -> None:
    """Who may start runs needs a Dropbox for them; who may only look needs none.

    Raises:
        PermissionDenied: for who may only look.
    """
    if not needs_dropbox(_person(request)):
        raise PermissionDenied(f"You do not have the permission to start {works()}, so you need no Dropbox for it.")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
