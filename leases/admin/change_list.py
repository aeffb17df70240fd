"""What stands in the list of leases: one count of all states, one page of rows, however many leases there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, override

from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from console.machine import following as polling
from console.machine.badges import label_of
from console.records.lists import RecordChangeList, lookups_of_the_address
from leases.admin import long_search
from leases.admin.downloads import KINDS
from leases.models import Lease
from leases.search import missing
from leases.states import State
from statemachine.models import STOPPED, TransitionLog
from statemachine.queries import count_by_state, with_last_tries

WHAT = "leases"
SHOWN_WITH = ("runsheet_directory", "created_by")
STATE, STATES = "state__exact", "state__in"
# As the admin's filter by state names them.
STATE_PARAMETERS: list[str | None] = [STATE, "state__isnull"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many leases of those that match are in a state, and what narrows the list to them; no state: all."""

    state: str
    label: str
    count: int
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """A filter in use, what it narrows the list to, and the list without it."""

    title: str
    choice: str
    url: str


class LeaseChangeList(RecordChangeList):
    """The admin's, which would count everything twice and join all the rows before the page that is wanted."""

    kinds = tuple(KINDS)
    _filters: Any = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = "Leases"
        self.searched = long_search.text_of(request.session, self.query)
        self.search_is_gone = long_search.is_gone(request.session, self.query)

    @override
    def get_filters(self, request: HttpRequest) -> Any:
        """Found out once, though the queryset is made more often."""
        self._filters = self._filters or super().get_filters(request)
        return self._filters

    @override
    def get_results(self, request: HttpRequest) -> None:
        # Before the counts: what happens meanwhile is news then.
        self.latest = latest_transition().first()
        in_any_state = self.get_queryset(request, exclude_parameters=STATE_PARAMETERS)
        with lookups_of_the_address():
            self.by_state = count_by_state(in_any_state)
        self.result_count = sum(self.by_state.get(state, 0) for state in self.chosen_states or self.by_state)
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions = self.result_count > 0
        self.can_show_all, self.multi_page = False, self.result_count > self.list_per_page
        self.paginator = Paginator(self.queryset, self.list_per_page)
        self.paginator.count = self.result_count
        # Whoever looked at the last page when it went is not sent back to the first.
        self.page_num = min(max(1, self.page_num), self.paginator.num_pages)
        self.result_list = self.rows(self._page())

    @property
    def chosen_states(self) -> list[str]:
        return [str(state) for state in self.filter_params.get(STATE, [])]

    def rows(self, pks: Any) -> QuerySet[Lease]:
        """These leases in the list's order, with all that is shown of them."""
        leases = with_last_tries(Lease.objects.filter(pk__in=pks))
        return leases.select_related(*SHOWN_WITH).order_by(*self.queryset.query.order_by)

    def _page(self) -> Any:
        """The keys of the page; from the end if that is nearer, since whatever stands before them is read too."""
        start = (self.page_num - 1) * self.list_per_page
        stop = min(start + self.list_per_page, self.result_count)
        if start > self.result_count - stop:
            return self.queryset.reverse().values("pk")[self.result_count - stop : self.result_count - start]
        return self.queryset.values("pk")[start:stop]

    @cached_property
    def state_counts(self) -> list[StateCount]:
        """All, then each state in the order of the work."""
        everything = StateCount(
            state="",
            label="All",
            count=sum(self.by_state.values()),
            url=self.get_query_string(remove=[STATE]),
            is_chosen=not self.chosen_states,
        )
        is_shown = self.by_state.get(STOPPED) or STOPPED in self.chosen_states
        return [
            everything,
            *(self._state_count(state) for state in Lease.shown_states() if is_shown or state != STOPPED),
        ]

    def _state_count(self, state: str) -> StateCount:
        return StateCount(
            state=state,
            label=label_of(Lease, state),
            count=self.by_state.get(state, 0),
            url=self.get_query_string({STATE: state}),
            is_chosen=state in self.chosen_states,
        )

    @cached_property
    def missing(self) -> list[str]:
        """Which of several numbers that are looked for no lease has."""
        return missing(self.root_queryset, self.searched)

    @cached_property
    def chosen(self) -> list[InUse]:
        """Each filter in use but the one by state, which stands over the list."""
        filters = [(spec.title, list(spec.choices(self))) for spec in self.filter_specs if spec.title != "state"]
        return [
            InUse(title=str(title), choice=str(choice["display"]), url=str(every["query_string"]))
            for title, (every, *choices) in filters
            for choice in choices
            if choice["selected"]
        ] + self._states_in_use()

    def _states_in_use(self) -> list[InUse]:
        """Several of them at once, as a batch asks for what is under way."""
        states = [
            str(State(state).label) for state in self.filter_params.get(STATES, [""])[0].split(",") if state in State
        ]
        return (
            [InUse(title="state", choice=" or ".join(states), url=self.get_query_string(remove=[STATES]))]
            if states
            else []
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether some leases may be hidden."""
        return bool(self.query or self.has_active_filters)

    @property
    def is_followed(self) -> bool:
        """Whether something that is shown will change by itself."""
        return any(lease.is_owed for lease in self.result_list)

    def poll_url(self, user: User) -> str:
        """Where the same rows are asked for anew; proves what the person sees now."""
        rows = [{name: getattr(lease, name) for name in polling.SHOWN} for lease in self.result_list]
        shown = [lease.pk for lease in self.result_list]
        versions = Versions(rows=_version_of(rows), latest=self.latest)
        seen = polling.seen(user, what=WHAT, version=versions.rows)
        counted = polling.seen(user, what=WHAT, version=versions.all)
        page = {PAGE_VAR: [self.page_num]} if self.page_num > 1 else {}
        given: dict[str, Any] = {**self.filter_params, **page, "shown": shown, "seen": seen, "counted": counted}
        return f"{reverse('admin:leases_lease_rows')}?{urlencode(given, doseq=True)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What of the list is compared with what somebody sees.

    Attributes:
        rows: what is shown of the leases.
        latest: the number of the last transition of all; the counts over the leases are as they were as long as it is.
    """

    rows: str
    latest: int | None

    @property
    def all(self) -> str:
        """Of the rows and the counts."""
        return f"{self.rows} {self.latest}"


def versions_of(shown: list[int]) -> Versions:
    """Of the leases as they are now, in one query."""
    found = Lease.objects.filter(pk__in=shown).annotate(latest=Subquery(latest_transition()[:1]))
    rows = {row["pk"]: row for row in found.values("pk", "latest", *polling.SHOWN)}
    if len(rows) < len(shown):
        return Versions(rows="gone", latest=None)
    return Versions(
        rows=_version_of(rows[pk] for pk in shown), latest=next((row["latest"] for row in rows.values()), None)
    )


def latest_transition() -> QuerySet[TransitionLog, int]:
    return TransitionLog.objects.order_by("-pk").values_list("pk", flat=True)


def _version_of(rows: Iterable[dict[str, Any]]) -> str:
    return repr([*map(polling.version_of, rows)])
