"""Links for people outside: the list, the page of one, and the page on which a document gets one."""

from typing import Any, override

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from console.machine.badges import mark
from console.records.exports import Column
from console.records.large_lists import DOWNLOADS, LargeList
from console.records.links import record_url
from console.records.pages import ReadOnly
from console.records.who import person
from console.shell.times import ago, time_column
from core.base.clock import now
from core.base.errors import Refused
from documents.admin.forms import ShareForm
from documents.admin.places import share_url
from documents.link_errors import LinkGone
from documents.models import Document, ShareLink
from documents.queries import links_visible_to, visible_to
from documents.services import shares
from documents.services.opening import name_outside
from documents.services.rights import may_share
from documents.services.shares import NewLink
from documents.states import LinkState, State, Suspended

SHOWN = 100
MARKS = {LinkState.ACTIVE: "good", LinkState.SUSPENDED: "note", LinkState.REVOKED: "bad"}


class StateFilter(admin.SimpleListFilter):
    """How it stands with them."""

    title = "standing"
    parameter_name = "standing"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.value, str(each.label)) for each in LinkState]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if wanted not in LinkState.values:
            return queryset
        there = ShareLink.objects.in_state(LinkState(wanted or ""), at=now())
        return queryset.filter(pk__in=there.values("pk"))


class ShareLinkAdmin(ReadOnly, LargeList):
    """What somebody may share, and what they have shared."""

    name = "Share links"
    empty = "Nobody has made a share link yet. One does that on the page of a document."
    beside = (("Documents", "admin:documents_document_changelist", "documents.view_document"),)
    change_form_template = "admin/documents/sharelink/page.html"
    list_display = ("__str__", "stands", "document", "fetched", "used", "expires", "created_by", "made")
    list_filter = (StateFilter,)
    list_select_related = ("document", "created_by", "revoked_by")
    sortable_by = ("used", "expires", "made")
    search_fields = ("label", "hint", "document__name", "created_by__username")
    search_help_text = (
        "A part of what it is for, of the document's name or of who made it, or its last four characters."
    )
    actions = DOWNLOADS
    file_shows_with = ("document", "created_by")
    file_columns = (
        Column("Share link", str),
        Column("Standing", lambda link: str(link.state_at(now()).label)),
        Column("Document", lambda link: link.document.name),
        Column("Made by", lambda link: str(link.created_by or "")),
        Column("Made", lambda link: link.created_at),
        Column("Expires", lambda link: link.expires_at),
        Column("Downloads", lambda link: link.downloads),
        Column("Downloads at most", lambda link: link.downloads_at_most),
        Column("Last used", lambda link: link.last_used_at),
    )
    made = time_column("created_at", "made")
    expires = time_column("expires_at", "expires")
    used = time_column("last_used_at", "last used")
    fields = ("stands", "why", "of", "fetched", "used", "with_password", "expires", "created_by", "made", "ended")

    @admin.display(description="standing")
    def stands(self, link: ShareLink) -> SafeString:
        state = link.state_at(now())
        return mark(MARKS.get(state, "note"), str(state.label))

    @admin.display(description="why")
    def why(self, link: ShareLink) -> str:
        return why_suspended(link)

    @admin.display(description="document")
    def of(self, link: ShareLink) -> SafeString | str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:documents_document_change", args=[link.document_id]), link.document
        )

    @admin.display(description="downloads", ordering="downloads")
    def fetched(self, link: ShareLink) -> str:
        most = f" of {link.downloads_at_most:,}" if link.downloads_at_most else ""
        return f"{link.downloads:,}{most}"

    @admin.display(description="asks for a password", boolean=True)
    def with_password(self, link: ShareLink) -> bool:
        return link.has_password

    @admin.display(description="revoked")
    def ended(self, link: ShareLink) -> SafeString | str:
        by = link.revoked_by or "somebody who is gone"
        return format_html("{} by {}", ago(link.revoked_at), by) if link.revoked_at else "No"

    # --- What is done -----------------------------------------------------------------------------------------------

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that the person may see; not even what is kept of a token or a password is on a page."""
        theirs = links_visible_to(person(request)).values("pk")
        return super().get_queryset(request).filter(pk__in=theirs).defer("token_sha256")

    @override
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Raises: PermissionDenied: for who may see none; Django would lead away from one that is not theirs before it asks."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    @override
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("of/<int:document_id>/", wrap(_share), name="documents_sharelink_of"),
            path("<int:pk>/revoke/", wrap(_revoke), name="documents_sharelink_revoke"),
            *super().get_urls(),
        ]

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        link: ShareLink | None = kwargs.get("obj")
        may = link is not None and link.revoked_at is None
        named = {"name": self.name, "subtitle": None, "title": str(link), "may_revoke": may}
        return super().render_change_form(request, {**context, **named}, *args, **kwargs)


def why_suspended(link: ShareLink) -> str:
    """Why it opens nothing at present; empty: it does, or never will again."""
    if link.state_at(now()) != LinkState.SUSPENDED:
        return ""
    if link.suspended_why:
        return str(Suspended(link.suspended_why).label)
    return f"The document is {State(link.document.state).label.lower()}"


@require_http_methods(["GET", "HEAD", "POST"])
def _share(request: HttpRequest, document_id: int) -> HttpResponse:
    """The links to a document, and a new one: its address is a part of this one answer, which nobody keeps, as of no page of the console.

    Raises:
        Http404: there is no such document, or this person may not share it.
    """
    user = person(request)
    document = visible_to(user).filter(pk=document_id).first()
    if document is None or not may_share(document, by=user):
        raise Http404
    if request.method != "POST":
        return _page(request, document, ShareForm())
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _page(request, document, form)
    at = now()
    try:
        new = shares.make(document_id=document.pk, by=user, at=at, **form.given(at=at))
    except Refused as refusal:
        form.add_error(form.field_of(refusal), str(refusal))
        return _page(request, document, form)
    return _page(request, document, ShareForm(), new=new)


@require_POST
def _revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one.

    Raises:
        Http404: there is none, as far as this person may know.
    """
    try:
        link = shares.revoke(link_id=pk, by=person(request), at=now())
    except LinkGone as gone:
        raise Http404 from gone
    messages.success(request, f"“{link}” is revoked. Whoever opens it is refused from now on.")
    if request.POST.get("back") == "document":
        return HttpResponseRedirect(share_url(link.document))
    return HttpResponseRedirect(record_url(link, person(request)) or reverse("admin:index"))


def _page(request: HttpRequest, document: Document, form: ShareForm, *, new: NewLink | None = None) -> HttpResponse:
    links = document.links.select_related("document", "created_by").order_by("-pk")
    context = {
        **admin.site.each_context(request),
        "title": f"Share “{document}”",
        "document": document,
        "form": form,
        "new": new,
        "name": name_outside(person(request)),
        "links": [(each, each.state_at(now()).label, why_suspended(each)) for each in links[:SHOWN]],
    }
    return render(request, "admin/documents/sharelink/of.html", context)
