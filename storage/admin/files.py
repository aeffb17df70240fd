"""The files: what the index knows of each. What lies in storage is true, so that nothing is changed here."""

from collections.abc import Mapping
from typing import Any, override

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine.buttons import lacking
from console.records.exports import Column
from console.records.large_lists import DOWNLOADS, LargeList
from console.records.links import page_of
from console.records.pages import ReadOnly
from console.records.sent import Sent, Telling
from console.records.who import person
from console.shell.times import ago, time_column
from core.base.errors import RunsheetError
from core.base.sizes import size_text
from storage.admin.file_filters import FILTERS
from storage.admin.file_list import FileChangeList
from storage.admin.file_page import FilePage, address_to_fetch, seen_now
from storage.admin.folders import folder_at, folder_with, is_browsed
from storage.admin.kinds import kind_of
from storage.admin.names import name_of, visible
from storage.admin.places import BESIDE, IN
from storage.models import FileState, IndexRun, StoredFile
from storage.searching import SearchTooLong, matching, once


def _kind(file: StoredFile) -> str:
    return kind_of(file.content_type, is_directory=file.is_directory)


OPENED = (
    ' <a class="beside-name" href="{}" target="_blank" rel="noopener noreferrer">{}'
    '<span class="visually-hidden">: <bdi>{}</bdi>, in a new tab</span></a>'
)
COLUMNS = (
    Column("Root", lambda file: str(file.root)),
    Column("Path", lambda file: file.key, width=60),
    Column("Name", lambda file: file.name, width=40),
    Column("Type", _kind),
    Column("Media type", lambda file: file.content_type),
    Column("Size in bytes", lambda file: None if file.is_directory else file.size),
    Column("Changed", lambda file: file.modified_at, is_time=True),
    Column("State", lambda file: file.get_state_display()),
    Column("Missing since", lambda file: file.missing_since, is_time=True),
    Column("Owner", lambda file: str(file.owner or "")),
    Column("SHA-256", lambda file: file.sha256 or "", width=66),
    Column("First seen", lambda file: file.found_at, is_time=True),
)


def _beside_name(file: StoredFile) -> SafeString:
    """Where it is opened, and the records that it belongs to; nothing where nobody knows."""
    known = file.elsewhere  # type: ignore[attr-defined]  # laid to it by `FileChangeList`
    records = format_html_join(
        "", ' <a class="beside-name" href="{}">{}</a>', [(each.url, each.label) for each in known.records]
    )
    if known.opened is None:
        return records
    opened = format_html(OPENED, known.opened.url, known.opened.label, visible(file.name))
    return format_html("{}{}", records, opened)


def _look_sent(request: HttpRequest, given: Mapping[str, Any], _form: QueryDict) -> Sent:
    may = request.user.has_perm("storage.view_storedfile")
    file = StoredFile.objects.filter(pk=given["pk"]).first() if may else None
    return Sent(what="Look at it now", facts=(("File", visible(file.key)),) if file else ())


class FileAdmin(ReadOnly, LargeList):
    """A row changes by a run only."""

    name = "Files"
    beside = (BESIDE[0], BESIDE[2])
    list_display = ("named", "folder", "size_in_words", "changed", "kind", "state_since", "owner")
    list_display_links = None
    list_filter = FILTERS
    list_select_related = ("root", "owner")
    ordering = ("root_id", "key")
    search_fields = ("name",)
    search_help_text = (
        "Words of a name, in any case, also parts of them; or a path from its beginning, such as 17/scans/."
    )
    empty = "Nothing has been found yet. What lies in a root stands here after its next run."
    file_columns = COLUMNS
    file_shows_with = ("root", "owner")
    identity = ("key",)
    actions = DOWNLOADS
    fields = ("key",)
    change_list_template = "admin/storage/storedfile/list.html"
    change_form_template = "admin/storage/storedfile/page.html"
    missing = time_column("missing_since", "missing since")

    @property
    def tellings(self) -> Mapping[str, Telling]:
        """What was sent to the pages of its own."""
        return {"look": _look_sent}

    # --- The list ---------------------------------------------------------------------------------------------------

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FileChangeList]:
        return FileChangeList

    @override
    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What is asked for by time or size stands by that, which also keeps PostgreSQL from looking through all the paths."""
        asked = [*(["-modified_ns"] if "changed" in request.GET else []), *(["-size"] if "size" in request.GET else [])]
        return (*asked[:1], *self.ordering)

    @override
    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Where all lie in one folder, that stands above the list."""
        shown = self.list_display
        return tuple(each for each in shown if each != "folder") if is_browsed(request.GET) else shown

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            found = matching(queryset, search_term)
            # Who looks in one root sees all that it has.
            return (once(found) if search_term and IN not in request.GET else found), False
        except SearchTooLong as error:
            raise IncorrectLookupParameters from error

    @override
    def called(self, record: StoredFile) -> str:
        return visible(record.key)

    @admin.display(description="name")
    def named(self, file: StoredFile) -> SafeString:
        """A folder leads into it, a file to its page; beside it stands where else it leads."""
        where = folder_at(file).url if file.is_directory else page_of(file)
        sign = "/" if file.is_directory else ""
        return format_html('<a href="{}">{}{}</a>{}', where, name_of(file.name), sign, _beside_name(file))

    @admin.display(description="folder")
    def folder(self, file: Any) -> SafeString:
        where = folder_with(file, file.names_above)
        if where.in_short == where.shown:
            return format_html('<a href="{}">{}</a>', where.url, name_of(where.shown))
        return format_html('<a href="{}" title="{}">{}</a>', where.url, visible(where.shown), name_of(where.in_short))

    @admin.display(description="size", ordering="size")
    def size_in_words(self, file: StoredFile) -> SafeString | str:
        if file.is_directory:
            return ""
        return format_html('<span title="{} bytes">{}</span>', f"{file.size:,}", size_text(file.size))

    @admin.display(description="changed", ordering="modified_ns")
    def changed(self, file: StoredFile) -> SafeString | str:
        at = file.modified_at
        return ago(at) if at else "Not known"

    @admin.display(description="type")
    def kind(self, file: StoredFile) -> SafeString:
        return format_html('<span title="{}">{}</span>', file.content_type, _kind(file))

    @admin.display(description="state")
    def state_since(self, file: StoredFile) -> SafeString:
        """What is there has nothing to say."""
        since = file.missing_since if file.state == FileState.MISSING else None
        return format_html("{}{}{}", file.get_state_display(), ", " if since else "", ago(since) if since else "")

    # --- The page ---------------------------------------------------------------------------------------------------

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request)
        match = request.resolver_match
        is_page = match is not None and match.url_name == self._named("change")
        return found.select_related("root", "owner", "changed_by") if is_page else found

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        file: StoredFile = kwargs.get("obj") or args[3]
        page = FilePage(file=file, user=person(request))
        context |= {"title": visible(file.name), "name": self.name, "subtitle": None, "page": page}
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        view = self.admin_site.admin_view
        return [
            *urls,
            path("<int:pk>/fetch/", view(require_safe(self.fetch)), name=self._named("fetch")),
            path("<int:pk>/look/", view(require_POST(self.look)), name=self._named("look")),
            anything_else,
        ]

    def fetch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lead to an address that opens the file for a moment, to be kept and never shown.

        Raises:
            PermissionDenied, Http404: for who may not look; there is no such row.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = get_object_or_404(StoredFile.objects.select_related("root"), pk=pk)
        try:
            return HttpResponseRedirect(address_to_fetch(file))
        except RunsheetError as error:
            messages.warning(request, str(error))
        return HttpResponseRedirect(page_of(file))

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what lies there at this moment. No row is changed.

        Raises:
            PermissionDenied, Http404: for who may not; there is no such row.
        """
        right = IndexRun.run_right
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.user.has_perm(right):
            raise PermissionDenied(lacking(IndexRun, right))
        file = get_object_or_404(StoredFile.objects.select_related("root"), pk=pk)
        try:
            seen = seen_now(file)
        except RunsheetError as error:
            messages.warning(request, str(error))
        else:
            messages.add_message(request, messages.SUCCESS if seen.is_as_indexed else messages.WARNING, seen.words)
        return HttpResponseRedirect(page_of(file))
