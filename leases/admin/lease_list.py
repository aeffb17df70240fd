"""The list of leases: what it shows, how one finds a lease in it."""

from typing import override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leases.admin.filters import FILTERS
from leases.admin.links import dropbox_link
from leases.models import Lease
from leases.search import HELP, matching
from leases.states import State


class LeaseList(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """What the list needs; the page of one lease builds on it."""

    list_display = (
        "lease_number",
        "agency_code",
        "state_badge",
        "report",
        "link",
        "tries",
        "created_by",
        "created",
    )
    list_filter = FILTERS
    list_select_related = ("runsheet_directory", "created_by")
    list_per_page = 50
    # The box is there for it; what is typed into it goes to `get_search_results`.
    search_fields = ("lease_number",)
    search_help_text = HELP

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Lease], search_term: str
    ) -> tuple[QuerySet[Lease], bool]:
        return matching(queryset, search_term), False

    @admin.display(description="agency", ordering="agency")
    def agency_code(self, lease: Lease) -> str:
        return lease.agency

    @admin.display(description="state", ordering="state")
    def state_badge(self, lease: Lease) -> SafeString:
        """The state, and what a failure is called, or what is being waited for."""
        badge = format_html('<span class="state state-{}">{}</span>', lease.state, lease.get_state_display())
        if not lease.failure_code:
            return badge
        return format_html('{} <span class="failure-code">{}</span>', badge, lease.failure_code.replace("_", " "))

    @admin.display(description="report found", boolean=True, ordering="runsheet_report_found")
    def report(self, lease: Lease) -> bool | None:
        """Unknown until the directory has been read."""
        return lease.runsheet_report_found or (False if lease.state == State.DONE else None)

    @admin.display(description="link", empty_value="none")
    def link(self, lease: Lease) -> SafeString | str | None:
        return dropbox_link(lease.runsheet_directory) if lease.runsheet_directory else None

    @admin.display(description="created", ordering="created_at")
    def created(self, lease: Lease) -> str:
        return f"{timezone.localtime(lease.created_at):%Y-%m-%d %H:%M}"
