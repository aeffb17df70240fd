"""A list of very many records: how one finds some of them in it, takes them away as files, and deletes many at once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, override

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from console.records import long_search
from console.records.change_list import LargeChangeList
from console.records.deleting import delete_selected
from console.records.exports import KINDS, Column, Export, TooManyForWorkbook, download
from console.records.filters import without_choices
from console.records.lists import RecordList
from console.records.long_search import Search
from console.records.who import person
from core.http.lists import EXPORT_WITHIN_S, read_list

type AdminAction = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponseBase | None]


def _download(kind: str) -> AdminAction:
    """The action that makes a file of the ticked records."""

    def act(listed: "LargeList", request: HttpRequest, records: QuerySet[Any]) -> HttpResponseBase | None:
        try:
            return listed.file_of(request, records, kind=kind)
        except TooManyForWorkbook as refusal:
            messages.warning(request, str(refusal))
            return None

    # By its name the admin knows an action.
    act.__name__ = f"download_{kind}"
    return admin.action(description=f"Download as {kind.upper()}", permissions=["view"])(act)


DOWNLOADS = tuple(map(_download, KINDS))


class LargeList(RecordList):
    """What it declares is its columns, its filters and this; a kind of record that is no machine is counted only.

    Attributes:
        name: what the list is called; the plural of what its records are called, unless it says otherwise.
        add_label: of the button that leads to a new record.
        beside: lists and pages that are looked for here: what each is called, the name of its address, the right to it.
        empty: what to do about it that nothing is in the list, for who may add something.
        search: how it is searched; None: as the admin does, in `search_fields`.
        file_columns: what its files hold.
        file_shows_with: the relations that these columns show something of.
        identity: the columns that tell which record one is. Those that are to be deleted are named in this order, and are
            asked about again if one of them has another by then.
        whose: the columns that tell whose it is; the same holds for them.
        delete_template: the page that asks before many are deleted.
    """

    name: str = ""
    add_label: str = "Add"
    beside: ClassVar[Sequence[tuple[str, str, str]]] = ()
    empty: ClassVar[str] = "Add the first one."
    search: ClassVar[Search | None] = None
    file_columns: ClassVar[Sequence[Column]] = (Column("Name", str),)
    file_shows_with: ClassVar[Sequence[str]] = ()
    identity: ClassVar[Sequence[str]] = ()
    whose: ClassVar[Sequence[str]] = ()
    delete_template: ClassVar[str] = "console/records/delete_chosen.html"
    change_list_template = "console/records/large_list.html"
    list_per_page = 50
    # At the foot of the window, beside nothing that is renewed.
    actions_on_top, actions_on_bottom = False, True
    actions: Sequence[Any] = (*DOWNLOADS, delete_selected)

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.name = self.name or str(capfirst(self.opts.verbose_name_plural))

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LargeChangeList]:
        return LargeChangeList

    def address_of(self, page: str) -> str:
        """Where a page of these records is.

        Args:
            page: as the admin calls it, such as “changelist”.
        """
        return reverse(f"admin:{self._named(page)}")

    def _named(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def listed(self, request: HttpRequest) -> LargeChangeList:
        """What the list of this address holds, for who does not show its filters.

        Raises:
            IncorrectLookupParameters: the address makes no sense.
        """
        without_choices(request)
        listed = self.get_changelist_instance(request)
        assert isinstance(listed, LargeChangeList)
        return listed

    @override
    def action_checkbox(self, obj: Any) -> SafeString:
        """The admin's, without a form's widget for each row, which takes a sixth of the page's time."""
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Select {} for an action">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, self.called(obj))

    def called(self, record: Any) -> str:
        """What a record is called where it is read aloud only."""
        return str(record)

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        download = self.admin_site.admin_view(require_safe(self.download))
        search = self.admin_site.admin_view(require_POST(self.searched))
        return [
            *urls,
            path("search/", search, name=self._named("search")),
            path("download/<slug:kind>/", download, name=self._named("download")),
            anything_else,
        ]

    # --- Searching --------------------------------------------------------------------------------------------------

    @override
    def get_search_fields(self, request: HttpRequest) -> Any:
        """The box is there for any; what is typed into it goes to `get_search_results`."""
        return ("pk",) if self.search else super().get_search_fields(request)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if self.search is None:
            return super().get_search_results(request, queryset, search_term)
        return self.search.matching(queryset, long_search.text_of(request.session, search_term)), False

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A long search in the address would be in the way of everything that leads back to it."""
        if request.method == "GET" and self.search and long_search.is_long(request.GET.get(SEARCH_VAR, "")):
            return self._search(request, request.GET)
        named = {
            "title": self.name,
            "name": self.name,
            "add_label": self.add_label,
            "empty": self.empty,
            "beside": [
                (label, reverse(address)) for label, address, right in self.beside if request.user.has_perm(right)
            ],
        }
        return super().changelist_view(request, named | (extra_context or {}))

    def searched(self, request: HttpRequest) -> HttpResponse:
        """Lead to the list of what is searched for, however much it is.

        Raises:
            PermissionDenied: for who may not look.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._search(request, request.POST)

    def _search(self, request: HttpRequest, given: QueryDict) -> HttpResponse:
        wanted = given.copy()
        wanted.pop("csrfmiddlewaretoken", None)
        text = str((wanted.pop(SEARCH_VAR, None) or [""])[-1])
        try:
            if name := long_search.name_for(request.session, text, search=self.search) if self.search else text:
                wanted[SEARCH_VAR] = name
        except long_search.TooManySearched as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(f"{self.address_of('changelist')}?{wanted.urlencode()}".rstrip("?"))

    # --- Taking away ------------------------------------------------------------------------------------------------

    def for_file(self, records: QuerySet[Any]) -> QuerySet[Any]:
        """With all that the columns of a file show."""
        return records.select_related(*self.file_shows_with) if self.file_shows_with else records

    def file_of(self, request: HttpRequest, records: QuerySet[Any], *, kind: str) -> HttpResponseBase:
        """The records in their order, with the columns that the person may see.

        Raises:
            TooManyForWorkbook: nobody would wait for it.
        """
        name = str(self.opts.verbose_name_plural)
        shown = [each for each in self.file_columns if not each.right or person(request).has_perm(each.right)]
        return download(Export(records=self.for_file(records), columns=shown, name=name), kind=kind)

    def download(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """All the records that the list of the same address shows, as a file.

        Raises:
            PermissionDenied, Http404: for who may not look; for a kind of file that is not offered.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in KINDS:
            raise Http404
        back = f"{self.address_of('changelist')}?{request.GET.urlencode()}"
        if long_search.is_gone(request.session, request.GET.get(SEARCH_VAR, "")):
            return HttpResponseRedirect(back)  # where it is said
        try:
            return read_list(
                request,
                lambda: self.file_of(request, self.listed(request).queryset, kind=kind),
                within_s=EXPORT_WITHIN_S,
            )
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        except TooManyForWorkbook as refusal:
            messages.warning(request, str(refusal))
            return HttpResponseRedirect(back)

    # --- Deleting ---------------------------------------------------------------------------------------------------

    def told_before_deleting(self, chosen: QuerySet[Any]) -> dict[str, Any]:
        """What the page that asks says of them: at least their `count`."""
        return {"count": chosen.count()}

    def have_moved_on(self, keys: Sequence[int], since: datetime) -> bool:  # noqa: ARG002 - for who can tell
        """Whether what was said of them then is so no more, though they are the same."""
        return False
