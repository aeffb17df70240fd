"""What is asked of many records of one machine at once, whichever it is."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from statemachine.models import STOPPED, ActorKind, StateMachine, TransitionLog


def count_by_state(records: QuerySet[StateMachine]) -> dict[str, int]:
    """How many are shown in each state that one of them is in; what was stopped apart from what has not begun."""
    start = records.model.initial_state()
    counts = dict(records.order_by().values_list("state").annotate(count=Count("*")))
    if counts.get(start) and (stopped := records.order_by().filter(records.model.stopped()).count()):
        counts |= {start: counts[start] - stopped, STOPPED: stopped}
    return counts


def with_last_tries(records: QuerySet[Any]) -> QuerySet[Any]:
    """With `last_tries`: how often the last work that has ended was begun; None if none has. Meant for few records."""
    ended = TransitionLog.objects.filter(
        record_type=records.model._meta.label_lower,
        record_id=OuterRef("pk"),
        from_state__in=sorted(records.model.working_states),
    )
    found: QuerySet[Any] = records.annotate(last_tries=Subquery(ended.order_by("-generation").values("tries")[:1]))
    return found


def were_started_since(machine: type[StateMachine], pks: Collection[int], at: datetime) -> bool:
    """Whether somebody has begun a run of one of the records by hand since then."""
    working = sorted(machine.working_states)
    begun = TransitionLog.objects.filter(at__gte=at, to_state__in=working, actor_kind=ActorKind.USER)
    return begun.filter(record_type=machine._meta.label_lower, record_id__in=pks).exists()
