"""The list of leases: what it shows, how one finds a lease in it, and how it follows the work."""

from functools import cache, partial
from typing import Any, override

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine import badges
from console.machine import following as polling
from console.records.lists import RecordList, is_key
from console.shell.times import ago
from core.base.errors import words_for
from leases.admin import long_search
from leases.admin.bulk_run import run_chosen
from leases.admin.change_list import SHOWN_WITH, STATES, WHAT, LeaseChangeList, versions_of
from leases.admin.delete_chosen import delete_selected
from leases.admin.download_chosen import DOWNLOADS
from leases.admin.downloads import KINDS, TooManyForWorkbook, download, name_of_today
from leases.admin.filters import FILTERS, without_choices
from leases.admin.links import dropbox_link
from leases.models import Lease
from leases.search import HELP, matching

# The counts over the list may be so old while leases that are not shown move on.
COUNTS_LAST_S = 10


class LeaseList(RecordList):
    """What the list needs; the page of one lease builds on it."""

    list_display = (
        "lease_number",
        "agency_code",
        "state_badge",
        "report",
        "link",
        "tries_taken",
        "created_by",
        "created",
        "changed",
    )
    list_filter = FILTERS
    lookups = (STATES,)  # where a batch leads to what is under way
    list_select_related = SHOWN_WITH
    list_per_page = 50
    # At the foot of the window, beside nothing that is renewed.
    actions = (run_chosen, *DOWNLOADS, delete_selected)
    asks = ("run_chosen", "delete_selected")
    actions_on_top, actions_on_bottom = False, True
    # The box is there for it; what is typed into it goes to `get_search_results`.
    search_fields = ("lease_number",)
    search_help_text = HELP

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LeaseChangeList]:
        return LeaseChangeList

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Lease], search_term: str
    ) -> tuple[QuerySet[Lease], bool]:
        return matching(queryset, long_search.text_of(request.session, search_term)), False

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A long search in the address would be in the way of everything that leads back to it."""
        if request.method == "GET" and long_search.is_long(request.GET.get(SEARCH_VAR, "")):
            return self._searched(request, request.GET)
        return super().changelist_view(request, extra_context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Lead to the list of what is searched for, however much it is.

        Raises:
            PermissionDenied: for who may not look.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._searched(request, request.POST)

    def _searched(self, request: HttpRequest, given: QueryDict) -> HttpResponse:
        wanted = given.copy()
        wanted.pop("csrfmiddlewaretoken", None)
        text = str((wanted.pop(SEARCH_VAR, None) or [""])[-1])
        try:
            if name := long_search.name_for(request.session, text):
                wanted[SEARCH_VAR] = name
        except long_search.TooManyNumbers as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(f"{reverse('admin:leases_lease_changelist')}?{wanted.urlencode()}".rstrip("?"))

    @override
    def action_checkbox(self, obj: Lease) -> SafeString:
        """The admin's, without a form's widget for each row, which takes a sixth of the page's time."""
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Select {} for an action">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, obj)

    @override
    def get_preserved_filters(self, request: HttpRequest) -> str:
        """What leads back to the same list; also from rows that were asked for anew."""
        match = request.resolver_match
        if match and match.url_name == "leases_lease_rows" and request.GET:
            return urlencode({"_changelist_filters": request.GET.urlencode()})
        return super().get_preserved_filters(request)

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="agency", ordering="agency")
    def agency_code(self, lease: Lease) -> str:
        return lease.agency

    @admin.display(description="state", ordering="state")
    def state_badge(self, lease: Lease) -> SafeString:
        """The state, and what a failure is called, or what is being waited for."""
        badge = badges.state_badge(lease, lease.shown_state)
        if not lease.failure_code:
            return badge
        return format_html('{} <span class="failure-code">{}</span>', badge, words_for(lease.failure_code))

    @admin.display(description="report", ordering="runsheet_report_found", empty_value="Not known")
    def report(self, lease: Lease) -> str | None:
        """Unknown until the directory has been read; what an older run has read is told as such."""
        found, is_old = lease.known_report
        if found is None:
            return None
        return f"{'Found' if found else 'None'}{', last known' if is_old else ''}"

    @admin.display(description="link", empty_value="\N{EN DASH}")
    def link(self, lease: Lease) -> SafeString | str | None:
        return dropbox_link(lease.runsheet_directory) if lease.runsheet_directory else None

    @admin.display(description="tries", empty_value="\N{EN DASH}")
    def tries_taken(self, lease: Lease) -> int | None:
        """Of the work that is under way, else of the last that was."""
        return lease.tries if lease.is_working else lease.last_tries  # type: ignore[attr-defined]  # annotated by the list

    @admin.display(description="created", ordering="created_at")
    def created(self, lease: Lease) -> SafeString:
        return ago(lease.created_at)

    @admin.display(description="last change", ordering="entered_at")
    def changed(self, lease: Lease) -> SafeString:
        return ago(lease.entered_at)

    # --- Following the work -----------------------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        download = self.admin_site.admin_view(require_safe(self.download))
        search = self.admin_site.admin_view(require_POST(self.search))
        return [
            *urls,
            path("rows/", require_safe(self.follow), name="leases_lease_rows"),
            path("search/", search, name="leases_lease_search"),
            path("download/<slug:kind>/", download, name="leases_lease_download"),
            anything_else,
        ]

    def follow(self, request: HttpRequest) -> HttpResponse:
        """The rows that somebody looks at as they are now; 204 as long as they are what the person sees already.

        Raises:
            PermissionDenied: for who may not look, or no longer.
        """
        shown = [int(pk) for pk in request.GET.getlist("shown") if is_key(pk)]
        shown = shown[: self.list_per_page]
        versions = cache(partial(versions_of, shown))
        if polling.is_unchanged(
            request, what=WHAT, version=lambda: versions().rows, within_s=COUNTS_LAST_S
        ) or polling.is_unchanged(request, what=WHAT, version=lambda: versions().all, name="counted"):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._rows)(request, shown)

    def _rows(self, request: HttpRequest, shown: list[int]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = request.GET.copy()
        wanted.pop("shown", None)
        wanted.pop("seen", None)
        wanted.pop("counted", None)
        request.GET = wanted  # type: ignore[assignment]  # what the list was asked for
        try:
            listed = self._listed(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse('admin:leases_lease_changelist')}?{ERROR_FLAG}=1")
        rows = {lease.pk: lease for lease in listed.rows(shown)}
        # In their places, also if what they are sorted by has changed: somebody may be about to click on one.
        listed.result_list = [rows[pk] for pk in shown if pk in rows]
        return render(request, "admin/leases/lease/rows.html", {"cl": listed, "opts": self.opts})

    def _listed(self, request: HttpRequest) -> LeaseChangeList:
        without_choices(request)
        listed = self.get_changelist_instance(request)
        assert isinstance(listed, LeaseChangeList)
        return listed

    # --- Many at once -----------------------------------------------------------------------------------------------

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether to offer the action; `leases.batches` asks again."""
        return request.user.has_perm("leases.run_discovery")

    def download(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """All the leases that the list of the same address shows, as a file.

        Raises:
            PermissionDenied, Http404: for who may not look; for a kind of file that is not offered.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in KINDS:
            raise Http404
        back = f"{reverse('admin:leases_lease_changelist')}?{request.GET.urlencode()}"
        if long_search.is_gone(request.session, request.GET.get(SEARCH_VAR, "")):
            return HttpResponseRedirect(back)  # where it is said
        try:
            leases = self._listed(request).queryset
            return download(leases, kind=kind, name=name_of_today())
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        except TooManyForWorkbook as refusal:
            messages.warning(request, str(refusal))
            return HttpResponseRedirect(back)
