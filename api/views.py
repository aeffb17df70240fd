"""The page of one's own tokens: what there are, a new one, and an end for each."""

from dataclasses import dataclass

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from api.errors import TokenGone
from api.forms import TokenForm
from api.models import ApiToken
from api.scopes import PLACE
from api.services import tokens
from api.services.tokens import NewToken
from api.standing import standing
from console.records.who import person
from core.base.clock import now
from core.base.errors import Refused

ENDED_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A token as its person sees it."""

    token: ApiToken
    standing: SafeString


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Show them, or make one: its secret is a part of this one answer, which nobody keeps, and of nothing else."""
    if request.method != "POST":
        return _page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        new = tokens.make(by=person(request), at=now(), **form.given())
    except Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _page(request, form)
    return _page(request, TokenForm(), new=new)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one: one's own, or another one's for who may.

    Raises:
        Http404: there is none, as far as this person may know.
    """
    try:
        token = tokens.revoke(token_id=pk, by=person(request), at=now())
    except TokenGone as gone:
        raise Http404 from gone
    messages.success(request, f"The token “{token.name}” is revoked. Whoever sends it is refused from now on.")
    return HttpResponseRedirect(_back(request))


def _page(request: HttpRequest, form: TokenForm, *, new: NewToken | None = None) -> HttpResponse:
    at = now()
    mine = ApiToken.objects.filter(user=person(request)).select_related("user", "revoked_by").order_by("-pk")
    alive = list(mine.alive(at=at))
    ended = mine.exclude(pk__in=[each.pk for each in alive])[:ENDED_SHOWN]
    context = {
        **admin.site.each_context(request),
        "title": "Your API tokens",
        "form": form,
        "new": new,
        "alive": [Shown(token=each, standing=standing(each, at=at)) for each in alive],
        "ended": [Shown(token=each, standing=standing(each, at=at)) for each in ended],
        "interface": request.build_absolute_uri(f"/{PLACE}"),
        "at_most": tokens.TOKENS_AT_MOST,
    }
    return render(request, "api/tokens.html", context)


def _back(request: HttpRequest) -> str:
    """To where the button was, if that is a page of this console."""
    wanted = request.POST.get("next", "")
    harmless = wanted.startswith("/") and wanted.isprintable()
    harmless = harmless and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if harmless else reverse("api_tokens")
