"""What the lists of all records have in common in the console."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar, override

from django.contrib import messages
from django.contrib.admin import ActionLocation, ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

from console.records import asking
from console.records.asking import Question
from console.records.shown_again import FormShownAgain
from core.http.lists import read_list

NOT_NARROWED = "This list cannot be narrowed as the address says, so all of it is shown."
NOT_CHOSEN = "Nothing was done: what was chosen is no line of this list. Choose once more."
CHANGED = "Since you were asked, what you have chosen has changed. Nothing was started or deleted; this is what it comes to now."
MOST_DIGITS = 18
# Each word of a search is looked for in each line of a list, and in several of its columns.
SEARCH_WORDS_AT_MOST = 10
SEARCH_CHARACTERS_AT_MOST = 500


def is_key(text: str) -> bool:
    """Whether it can be the number of a record. More digits are refused by PostgreSQL, and very many by Python."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


@contextmanager
def lookups_of_the_address() -> Iterator[None]:
    """Whatever cannot be compared was asked for by the address.

    Raises:
        IncorrectLookupParameters: for which the admin leads to the list as it is without them.
    """
    try:
        yield
    except (DataError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise IncorrectLookupParameters from error


COUNTED_AT_MOST = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """For millions of lines: nobody turns so many pages, and to count them all would take longer than to show one."""

    @cached_property
    @override
    def count(self) -> int:
        return min(self._found, COUNTED_AT_MOST)

    @property
    def is_capped(self) -> bool:
        """Whether there is more than can be turned to."""
        return self._found > COUNTED_AT_MOST

    @cached_property
    def _found(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin gives it nothing else
        return rows.order_by()[: COUNTED_AT_MOST + 1].count()


class RecordChangeList(ChangeList):
    """The admin's, but an address asks only for what the list declares.

    The admin takes any lookup of any column from the address, regular expressions among them, and some keep PostgreSQL busy
    for minutes. It also finds out only when it counts that some lookups mean nothing.
    """

    @override
    def get_filters(self, request: HttpRequest) -> Any:
        """What the filters make of the address.

        Raises:
            IncorrectLookupParameters: something of it is for none of them, and is not declared beside them.
        """
        try:
            found = super().get_filters(request)
        except DisallowedModelAdminLookup as error:
            raise IncorrectLookupParameters from error
        left_over = found[2]
        declared = self.model_admin.lookups  # type: ignore[attr-defined]  # none but `RecordList` makes one of these
        if not set(left_over) <= set(declared):
            raise IncorrectLookupParameters
        return found

    @override
    def get_ordering_field(self, field_name: Any) -> Any:
        """The field to sort by, if its column has an arrow. Sorting by some others would take minutes."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    @override
    def get_results(self, request: HttpRequest) -> None:
        with lookups_of_the_address():
            super().get_results(request)


class RecordList(FormShownAgain):
    """A list that has an answer to whatever its address and its form say.

    Attributes:
        lookups: what an address may narrow the list by, beside its filters: where other pages lead to it.
        asks: the actions that show what they would do, and do it only when that is confirmed.
    """

    lookups: ClassVar[Collection[str]] = ()
    asks: ClassVar[Collection[str]] = ("delete_selected",)
    # They would ask the database once for each choice of each filter.
    show_facets = ShowFacets.NEVER

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordChangeList]:
        return RecordChangeList

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What holds all the words.

        Raises:
            IncorrectLookupParameters: nobody has typed so many.
        """
        if len(search_term) > SEARCH_CHARACTERS_AT_MOST or len(search_term.split()) > SEARCH_WORDS_AT_MOST:
            raise IncorrectLookupParameters
        return super().get_search_results(request, queryset, search_term)

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        question = asking.take_question(request)
        if question.action and request.method == "GET":
            return self._ask(request, question)
        if request.method == "GET" and ERROR_FLAG in request.GET:
            if len(request.GET) > 1:  # else the admin would take what is wrong beside it for a broken installation
                wanted = request.GET.copy()
                del wanted[ERROR_FLAG]
                return HttpResponseRedirect(f"{request.path}?{wanted.urlencode()}")
            messages.warning(request, NOT_NARROWED)
        inner = super().changelist_view
        return read_list(request, lambda: inner(request, extra_context))

    @override
    def response_action(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        action_location: ActionLocation = ActionLocation.CHANGE_LIST,
    ) -> HttpResponse | None:
        """What an action makes of what was chosen, if it can have been chosen; what asks first, does so at an own address."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(map(is_key, chosen)):
            messages.warning(request, NOT_CHOSEN)
            return HttpResponseRedirect(request.get_full_path())
        if request.POST.get("action") not in self.asks or hasattr(request, "is_question"):
            return super().response_action(request, queryset, action_location)
        address, is_confirmed = asking.address_of(request), asking.is_confirmed(request)
        if address and not is_confirmed:
            return HttpResponseRedirect(address)
        answer: HttpResponse | None = super().response_action(request, queryset, action_location)
        if address and answer is not None and answer.status_code == HTTPStatus.OK:
            messages.warning(request, CHANGED)  # so it is asked once more
            return HttpResponseRedirect(address)
        return answer

    def _ask(self, request: HttpRequest, question: Question) -> HttpResponse:
        """The page that asks; what it asks about is checked as if the list's form had been sent, and nothing is done."""
        if question.action not in self.asks:
            return HttpResponseRedirect(request.get_full_path())
        request.method, request.POST = "POST", question.form  # type: ignore[assignment]  # as the admin reads them
        request.is_question = True  # type: ignore[attr-defined]  # read above only
        return super().changelist_view(request, {})
