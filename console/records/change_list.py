"""What stands in a list of very many records: one page of rows, and one count, however many there are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, override

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from console.records import long_search
from console.records.exports import KINDS
from console.records.lists import COUNTED_AT_MOST, RecordChangeList, lookups_of_the_address


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """A filter in use, what it narrows the list to, and the list without it."""

    title: str
    choice: str
    url: str


class LargeChangeList(RecordChangeList):
    """The admin's, which would count everything twice and join all the rows before the page that is wanted."""

    kinds = tuple(KINDS)
    _filters: Any = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.search = self._list.search
        self.searched = long_search.text_of(request.session, self.query)
        self.search_is_gone = long_search.is_gone(request.session, self.query)

    @property
    def _list(self) -> Any:
        """The `LargeList` that it belongs to; nothing else makes one of these."""
        return self.model_admin

    @override
    def get_filters(self, request: HttpRequest) -> Any:
        """Found out once, though the queryset is made more often."""
        self._filters = self._filters or super().get_filters(request)
        return self._filters

    @override
    def get_results(self, request: HttpRequest) -> None:
        with lookups_of_the_address():
            self.result_count = self.count(request)
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions = self.result_count > 0
        self.can_show_all, self.multi_page = False, self.result_count > self.list_per_page
        self.paginator = Paginator(self.queryset, self.list_per_page)
        self.paginator.count = self.result_count
        # Whoever looked at the last page when it went is not sent back to the first.
        self.page_num = min(max(1, self.page_num), self.paginator.num_pages)
        self.result_list = self.rows(self._page())

    def count(self, request: HttpRequest) -> int:  # noqa: ARG002 - for who has to ask for more
        """How many match."""
        found: QuerySet[Any] = self.queryset
        return found.order_by().count()

    def rows(self, pks: Any) -> QuerySet[Any]:
        """These records in the list's order, with all that is shown of them."""
        found = self.root_queryset.filter(pk__in=pks).order_by(*self.queryset.query.order_by)
        return self.apply_select_related(found)

    def _page(self) -> Any:
        """The keys of the page; from the end if that is nearer, since whatever stands before them is read too."""
        start = (self.page_num - 1) * self.list_per_page
        stop = min(start + self.list_per_page, self.result_count)
        if start > self.result_count - stop:
            return self.queryset.reverse().values("pk")[self.result_count - stop : self.result_count - start]
        return self.queryset.values("pk")[start:stop]

    @cached_property
    def missing(self) -> list[str]:
        """Which of several that are looked for no record has."""
        return self.search.missing(self.root_queryset, self.searched) if self.search else []

    @property
    def folded_filters(self) -> list[Any]:
        """The filters that are offered behind a word."""
        return list(self.filter_specs)

    @cached_property
    def chosen(self) -> list[InUse]:
        """Each of these that is in use."""
        filters = [(spec.title, list(spec.choices(self))) for spec in self.folded_filters]
        return [
            InUse(title=str(title), choice=str(choice["display"]), url=str(every["query_string"]))
            for title, (every, *choices) in filters
            for choice in choices
            if choice["selected"]
        ]

    @property
    def is_capped(self) -> bool:
        """Whether there are more than can be turned to."""
        return False

    @property
    def everything(self) -> str:
        """The query of all there is."""
        return "?"

    @property
    def is_narrowed(self) -> bool:
        """Whether some records may be hidden."""
        return bool((self.query and self.search_fields) or self.has_active_filters)


class CappedChangeList(LargeChangeList):
    """For millions of rows: the first thousands in their order, in one statement that needs to look no further.

    Counting them all would take longer than showing some, and what is looked for in vain is looked for once, not twice.
    """

    @cached_property
    def _first(self) -> list[Any]:
        """The keys of the records that can be turned to, and one more."""
        return list(self.first_keys(COUNTED_AT_MOST + 1))

    def first_keys(self, limit: int) -> Any:
        """The first of what matches."""
        return self.queryset.values_list("pk", flat=True)[:limit]

    @override
    def count(self, request: HttpRequest) -> int:
        return min(len(self._first), COUNTED_AT_MOST)

    @property
    @override
    def is_capped(self) -> bool:
        return len(self._first) > COUNTED_AT_MOST

    @override
    def _page(self) -> Any:
        start = (self.page_num - 1) * self.list_per_page
        return self._first[:COUNTED_AT_MOST][start : start + self.list_per_page]
