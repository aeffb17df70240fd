"""The roots: what lies in each, and how its index does. Which there are, the settings say."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, override

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from console.machine.badges import state_badge
from console.machine.buttons import lacking
from console.records.change_list import LargeChangeList
from console.records.exports import Column
from console.records.large_lists import DOWNLOADS, LargeList
from console.records.links import page_of
from console.records.pages import ReadOnly
from console.records.sent import Sent, Telling
from console.records.who import person
from console.shell.times import ago
from core.base.errors import Refused
from storage.admin.looking import look_for
from storage.admin.names import visible
from storage.admin.places import BESIDE
from storage.admin.root_page import RootPage, not_met, pages_of, with_last_runs
from storage.index.presence import forget_marker
from storage.models import IndexRun, StorageRoot
from storage.services import CHANGES

FORGOTTEN = "The marker is forgotten. The next run takes the marker that lies there{or_lays}."


def _counted(url: str, count: int) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, f"{count:,}")


def _as_of(page: RootPage) -> SafeString | str:
    """Which run's figure it is, where others came after it."""
    if not page.is_overtaken or page.whole is None:
        return ""
    return format_html(' <span class="quiet">as of {}, {}</span>', page.whole, ago(page.whole.entered_at))


def _marker_sent(request: HttpRequest, given: Mapping[str, Any], _form: QueryDict) -> Sent:
    may = request.user.has_perm("storage.view_storageroot")
    root = StorageRoot.objects.filter(pk=given["pk"]).first() if may else None
    return Sent(what="Take the marker that lies there", facts=(("Root", str(root)),) if root else ())


class RootChangeList(LargeChangeList):
    """Rows that know their last runs."""

    @cached_property
    def pages(self) -> dict[int, RootPage]:
        return pages_of(self.result_list, user=self.person)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.person = person(request)
        super().__init__(request, *args, **kwargs)
        for root in self.result_list:
            root.page = self.pages[root.pk]


class RootAdmin(ReadOnly, LargeList):
    """There is nothing to add, to change or to delete here; what one may do is to look, and to give up a marker."""

    name = "Storage"
    beside = BESIDE[1:]
    list_display = ("named", "kind", "there", "files", "bytes_seen", "missing", "last_run", "result")
    sortable_by = ("named",)
    search_fields = ("name", "declaration__title")
    search_help_text = "A part of a root's name."
    empty = "No run has looked at a root yet. The settings say which there are."
    file_columns = (
        Column("Root", str),
        Column("First met", lambda root: root.created_at, is_time=True),
    )
    identity = ("name",)
    actions = DOWNLOADS
    fields = ("name",)
    change_list_template = "admin/storage/storageroot/list.html"
    change_form_template = "admin/storage/storageroot/page.html"

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LargeChangeList]:
        return RootChangeList

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_last_runs(super().get_queryset(request))

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and what the settings know beside."""
        user = person(request)
        looks = [look_for(user, root=name) for name in not_met()] if self.has_view_permission(request) else []
        return super().changelist_view(request, {"looks": looks} | (extra_context or {}))

    @property
    def tellings(self) -> Mapping[str, Telling]:
        """What was sent to the pages of its own."""
        return {"marker": _marker_sent}

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="name", ordering="name")
    def named(self, root: Any) -> str:
        return str(root)

    @admin.display(description="is")
    def kind(self, root: Any) -> str:
        page: RootPage = root.page
        return page.kind

    @admin.display(description="when last looked at")
    def there(self, root: Any) -> SafeString:
        page: RootPage = root.page
        return format_html(
            "<span{}>{}</span>", format_html(' class="{}"', "problem") if page.is_away else "", page.looked
        )

    @admin.display(description="files", empty_value="\N{EN DASH}")
    def files(self, root: Any) -> SafeString | None:
        page: RootPage = root.page
        if page.whole is None:
            return None
        return format_html("{}{}", _counted(page.files_url, page.figures.files_on_disk), _as_of(page))

    @admin.display(description="size", empty_value="\N{EN DASH}")
    def bytes_seen(self, root: Any) -> SafeString | None:
        page: RootPage = root.page
        return format_html("{}{}", page.size, _as_of(page)) if page.whole else None

    @admin.display(description="missing")
    def missing(self, root: Any) -> SafeString | str:
        page: RootPage = root.page
        return _counted(page.missing_url, page.missing) if page.missing else "None"

    @admin.display(description="last run", empty_value="Never")
    def last_run(self, root: Any) -> SafeString | None:
        page: RootPage = root.page
        if page.last is None:
            return None
        badge = state_badge(page.last, page.last.state)
        when = ago(page.last.entered_at)
        return (
            format_html('{} <a href="{}">{}</a>', badge, page.last_url, when)
            if page.last_url
            else format_html("{} {}", badge, when)
        )

    @admin.display(description="result")
    def result(self, root: Any) -> str:
        page: RootPage = root.page
        return page.result.partition("\n")[0]

    # --- The page ---------------------------------------------------------------------------------------------------

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        root: Any = kwargs.get("obj") or args[3]
        page = pages_of([root], user=person(request))[root.pk]
        context |= {"title": str(root), "name": self.name, "subtitle": None, "page": page}
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        marker = self.admin_site.admin_view(require_POST(self.marker))
        return [*urls, path("<int:pk>/marker/", marker, name=self._named("marker")), anything_else]

    def marker(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give up the root's marker, so that the next run takes the one that lies there.

        Raises:
            PermissionDenied, Http404: for who may not; there is no such root.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.user.has_perm(CHANGES):
            raise PermissionDenied(lacking(IndexRun, CHANGES))
        root = get_object_or_404(StorageRoot, pk=pk)
        try:
            forget_marker(root_id=root.pk, marker=request.POST.get("marker", ""))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            self.log_change(request, root, f"Forgot the marker “{visible(root.marker)}”.")
            messages.success(request, FORGOTTEN.format(or_lays="" if root.is_of_app else ", or lays one"))
        return HttpResponseRedirect(page_of(root))
