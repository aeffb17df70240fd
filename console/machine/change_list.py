"""What stands in the list of a machine's records: how many are in each state, and rows that are followed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast, override

from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.models import User
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.utils.http import urlencode

from console.machine import following
from console.machine.badges import label_of
from console.machine.filters import EVERY, StateFilter
from console.records.change_list import InUse, LargeChangeList
from statemachine.models import STOPPED, StateMachine, TransitionLog
from statemachine.queries import count_by_state, with_last_tries

STATE, STATES, STATE_ABSENT = "state__exact", "state__in", "state__isnull"
# As the admin's filter by state names them.
STATE_PARAMETERS: list[str | None] = [STATE, STATE_ABSENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many records of those that match are in a state, and what narrows the list to them; no state: all."""

    state: str
    label: str
    count: int
    url: str
    is_chosen: bool


class MachineChangeList(LargeChangeList):
    """Counts the states, and so how many match, in one query."""

    @override
    def get_results(self, request: HttpRequest) -> None:
        # Before the counts: what happens meanwhile is news then.
        self.latest = latest_transition().first()
        super().get_results(request)

    @override
    def count(self, request: HttpRequest) -> int:
        self.by_state = count_by_state(self.get_queryset(request, exclude_parameters=STATE_PARAMETERS))
        if len(self.chosen_states) > 1 or STATE_ABSENT in self.filter_params:
            return super().count(request)  # nothing here leads to such an address
        if EVERY in self.chosen_states:
            return sum(self.by_state.values())
        shown = self.chosen_states or self.by_state.keys() - self.hidden
        return sum(self.by_state.get(state, 0) for state in shown)

    @override
    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        """What the address asks for, without what is put away; of all states for who leaves out what it says of them."""
        found = super().get_queryset(request, exclude_parameters)
        return found.exclude(state__in=self.hidden) if self.hidden and not exclude_parameters else found

    @property
    def put_away(self) -> frozenset[str]:
        """The states whose records are put away, unless the address asks for what has them among others."""
        asks = self.filter_params.keys() & set(self._list.shows_put_away)
        return frozenset() if asks else self._list.put_away

    @property
    def hidden(self) -> frozenset[str]:
        """Those of them that are not shown, since the address asks for no state."""
        return frozenset() if self.filter_params.keys() & {STATE, STATE_ABSENT} else self.put_away

    @property
    @override
    def is_narrowed(self) -> bool:
        return super().is_narrowed or any(self.by_state.get(state) for state in self.hidden)

    @property
    @override
    def everything(self) -> str:
        return f"?{STATE}={EVERY}" if self.put_away else super().everything

    @property
    def chosen_states(self) -> list[str]:
        return [str(state) for state in self.filter_params.get(STATE, [])]

    @override
    def rows(self, pks: Any) -> QuerySet[Any]:
        return with_last_tries(super().rows(pks))

    @cached_property
    def state_counts(self) -> list[StateCount]:
        """All, then each state in the order of the work; all but what is put away first, if anything may be, and all last."""
        every = StateCount(
            state="",
            label="All",
            count=sum(self.by_state.values()),
            url=self.get_query_string({STATE: EVERY} if self.put_away else None, remove=[STATE]),
            is_chosen=EVERY in self.chosen_states or not (self.chosen_states or self.hidden),
        )
        is_shown = self.by_state.get(STOPPED) or STOPPED in self.chosen_states
        shown = [state for state in self._machine.shown_states() if is_shown or state != STOPPED]
        states = [*map(self._state_count, shown)]
        return [self._not_put_away, *states, every] if self.put_away else [every, *states]

    @property
    def _not_put_away(self) -> StateCount:
        away = self.put_away
        return StateCount(
            state="",
            label=f"All but {' and '.join(label_of(self._machine, state).lower() for state in sorted(away))}",
            count=sum(count for state, count in self.by_state.items() if state not in away),
            url=self.get_query_string(remove=[STATE]),
            is_chosen=bool(self.hidden),
        )

    def _state_count(self, state: str) -> StateCount:
        return StateCount(
            state=state,
            label=label_of(self._machine, state),
            count=self.by_state.get(state, 0),
            url=self.get_query_string({STATE: state}),
            is_chosen=state in self.chosen_states,
        )

    @property
    def _machine(self) -> type[StateMachine]:
        machine: Any = self.model
        return cast("type[StateMachine]", machine)

    @property
    @override
    def folded_filters(self) -> list[Any]:
        """All but the one by state, which stands over the list."""
        return [spec for spec in self.filter_specs if not isinstance(spec, StateFilter)]

    @cached_property
    @override
    def chosen(self) -> list[InUse]:
        """Each of these that is in use, and several states at once, as a batch asks for what is under way."""
        found = InUse(title="state", choice=" or ".join(self._states), url=self.get_query_string(remove=[STATES]))
        return [*super().chosen, *([found] if self._states else [])]

    @property
    def _states(self) -> list[str]:
        known = set(self._machine.shown_states()) - {STOPPED}
        wanted = str(self.filter_params.get(STATES, [""])[0]).split(",")
        return [label_of(self._machine, state) for state in wanted if state in known]

    @property
    def is_followed(self) -> bool:
        """Whether something that is shown will change by itself."""
        return any(record.is_owed for record in self.result_list)

    def poll_url(self, user: User) -> str:
        """Where the same rows are asked for anew; proves what the person sees now."""
        columns = (*following.SHOWN, *self._list.follows)
        rows = [{name: getattr(record, name) for name in columns} for record in self.result_list]
        shown = [record.pk for record in self.result_list]
        what = self.opts.label_lower
        versions = Versions(rows=_version_of(rows), latest=self.latest)
        seen = following.seen(user, what=what, version=versions.rows)
        counted = following.seen(user, what=what, version=versions.all)
        page = {PAGE_VAR: [self.page_num]} if self.page_num > 1 else {}
        given: dict[str, Any] = {**self.filter_params, **page, "shown": shown, "seen": seen, "counted": counted}
        return f"{self._list.address_of('rows')}?{urlencode(given, doseq=True)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What of the list is compared with what somebody sees.

    Attributes:
        rows: what is shown of the records.
        latest: the number of the newest transition. While it is the same, so are the counts over the records.
    """

    rows: str
    latest: int | None

    @property
    def all(self) -> str:
        """Of the rows and the counts."""
        return f"{self.rows} {self.latest}"


def versions_of(records: QuerySet[Any], shown: list[int], also: Sequence[str] = ()) -> Versions:
    """Of these records as they are now, in one query.

    Args:
        also: what is shown of them, beside what is of every machine.
    """
    found = records.filter(pk__in=shown).annotate(latest=Subquery(latest_transition()[:1]))
    rows = {row.pop("pk"): row for row in found.values("pk", "latest", *following.SHOWN, *also)}
    if len(rows) < len(shown):
        return Versions(rows="gone", latest=None)
    latest = [row.pop("latest") for row in rows.values()]
    return Versions(rows=_version_of(rows[pk] for pk in shown), latest=next(iter(latest), None))


def latest_transition() -> QuerySet[TransitionLog, int]:
    return TransitionLog.objects.order_by("-pk").values_list("pk", flat=True)


def _version_of(rows: Iterable[dict[str, Any]]) -> str:
    return repr([*map(following.version_of, rows)])
