"""Where the records of a batch stand."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression

from statemachine.batches.membership import items_of, machine_of
from statemachine.models import CALLED_OFF, OWED, Batch, StateMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the records of a batch stand, all counted at one instant.

    Attributes:
        settled: records that ran and that nothing is owed for, by state; where a record begins is what ran in the batch,
            and what another run or somebody by hand has started and stopped since.
        not_run: records that were stopped, or never begun, before a run of them has ended in the batch or since; what
            one of them is may be known from before.
        under_way: records that a worker is at, or that are tried again.
        waiting: records whose run has not begun.
        stoppable: those of the last two that this batch, and nobody since, has started.
    """

    settled: dict[str, int] = field(default_factory=dict)
    not_run: int = 0
    under_way: int = 0
    waiting: int = 0
    stoppable: int = 0

    @property
    def owed(self) -> int:
        return self.under_way + self.waiting

    @property
    def done(self) -> int:
        return sum(self.settled.values())

    @property
    def total(self) -> int:
        return self.done + self.not_run + self.owed

    @property
    def started_otherwise(self) -> int:
        """Of what is owed, what the batch would leave alone if it were stopped."""
        return self.owed - self.stoppable


def progress_of(batch: Batch) -> Progress:
    """Where the records of a batch stand, in one query."""
    machine = machine_of(batch)
    items = items_of(machine)
    ours = OWED & Q(record__background=True, record__owed_by=batch.pk)
    rows = list(
        items._default_manager.filter(batch=batch.pk)
        .values_list("record__state")
        .annotate(
            count=Count("pk"),
            owed=Count("pk", filter=OWED),
            not_run=Count("pk", filter=items.not_run()),
            stoppable=Count("pk", filter=ours),
        )
    )
    settled = {state: count - owed - not_run for state, count, owed, not_run, _ in rows}
    working = machine.working_states
    return Progress(
        settled={state: settled[state] for state in machine.states() if settled.get(state)},
        not_run=sum(not_run for _, _, _, not_run, _ in rows),
        under_way=sum(owed for state, _, owed, *_ in rows if state in working),
        waiting=sum(owed for state, _, owed, *_ in rows if state not in working),
        stoppable=sum(stoppable for *_, stoppable in rows),
    )


def owed_by_batches(machine: type[StateMachine]) -> QuerySet[StateMachine]:
    """What is still owed because of a batch, and not because somebody has started it by hand since."""
    return machine._default_manager.filter(owed_by__isnull=False, background=True, due_at__isnull=False)


class Condition(StrEnum):
    """How a batch stands, in short."""

    UNDER_WAY = "under_way"
    STOPPED = "stopped"
    NOT_ALL_RUN = "not_all_run"
    SETTLED = "settled"


def with_condition(batches: QuerySet[Any], machine: type[StateMachine]) -> QuerySet[Any]:
    """The batches with what `condition_of` reads of each; no statement more, however many they are."""
    items, stopped_records = items_of(machine), machine._default_manager.filter(machine.stopped())
    members = items._default_manager
    stopped = members.filter(items.cut_short(), record__in=stopped_records).values("batch")
    called_off = members.filter(CALLED_OFF).values("batch")
    owed = owed_by_batches(machine).values("owed_by")
    found: QuerySet[Any] = batches.annotate(
        is_owed=ExpressionWrapper(Q(pk__in=owed), output_field=BooleanField()),
        has_stopped=ExpressionWrapper(Q(pk__in=stopped) | Q(pk__in=called_off), output_field=BooleanField()),
    )
    return found


def condition_of(batch: Any) -> Condition:
    """Whether anything of it is still owed; `progress_of` says how much.

    Args:
        batch: as `with_condition` has read it.
    """
    if batch.is_owed:
        return Condition.UNDER_WAY
    if batch.stopped_at:
        return Condition.STOPPED
    return Condition.NOT_ALL_RUN if batch.has_stopped else Condition.SETTLED


def failures_of(batch: Batch) -> list[tuple[str, int]]:
    """What the batch's failed records have failed for: failure code and how many, the most first."""
    machine = machine_of(batch)
    members = standing_at(batch, machine.failed_state()).order_by()
    counted = members.values_list(of_record(machine, "failure_code")).annotate(count=Count("pk"))
    return sorted(counted, key=lambda each: (-each[1], each[0]))


def standing_at(batch: Batch, state: str) -> QuerySet[Any]:
    """The members in a state for which nothing is owed. Those in the initial state did not run.

    Each is looked up by its key, whatever PostgreSQL expects of them.
    """
    machine = machine_of(batch)
    start = machine.initial_state()
    owed, called_off = Q(due_at__isnull=False), Q(generation=OuterRef("called_off"))
    not_begun = When(called_off, then=Value(start))
    standing = of_record(machine, Case(When(owed, then=None), not_begun, default="state", output_field=CharField()))
    items: Any = items_of(machine)._default_manager
    members = items.alias(standing=standing).filter(batch=batch.pk, standing=state)
    return members.not_run() if state == start else members  # type: ignore[no-any-return]  # the item's own queryset


def of_record(machine: type[StateMachine], wanted: str | Case | CombinedExpression) -> Subquery:
    """A value of a member's record. It has no condition but the key: PostgreSQL would look for the record by it, slowly."""
    return Subquery(machine._default_manager.order_by().filter(pk=OuterRef("record")).values_list(wanted))
