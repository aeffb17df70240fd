"""Whose turn it is: the one order in which owed rows are begun (docs/decisions/0014-whose-turn-it-is.md).

What somebody has started by hand comes first. In the background, orders take turns: the first row of each, then the
second of each, and so on. Whoever has waited for long goes on whatever comes before it.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache, reduce
from itertools import compress
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.backends.postgresql.psycopg_any import mogrify
from django.db.models import BigIntegerField, F, Func, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from core.base.database import read_in_part
from statemachine.models import TURNS, StateMachine
from statemachine.reactions import Reaction, machines, queue_of, reactions_of, start_of

ORDER = ("turn", "pk")
# Of each topping up this part is for those who have waited for longer than `BACKGROUND_YIELD_S`.
PATIENT_PART = 4
READ = ("id", "state", "generation", "due_at", "background", "turn")
CANDIDATE = (*READ, "is_patient")

type Rules = tuple[object, ...]


def owed(model: type[StateMachine], *, queue: str | None = None) -> QuerySet[StateMachine]:
    """Rows in a working state that nobody works on and whose time has come; of all queues, or of one."""
    asked = [each for each in reactions_of(model) if queue in {None, each.queue}]
    within_budget = reduce(or_, (Q(state=each.state, tries__lt=each.tries) for each in asked), Q(pk=None))
    return _time_has_come(model).filter(within_budget)


def spent(model: type[StateMachine], found: Reaction) -> QuerySet[StateMachine]:
    """Rows whose last try was begun and never ended: it killed its worker."""
    return _time_has_come(model).filter(state=found.state, tries__gte=found.tries).order_by("due_at", "pk")


def startable(model: type[StateMachine]) -> QuerySet[StateMachine]:
    """Rows that are owed their start."""
    return model._default_manager.filter(due_at__lte=Now()).exclude(state__in=sorted(model.working_states))


def owed_as_text(model: type[StateMachine], *columns: str) -> str:
    """`owed` as a SELECT of these columns, with which other conditions can be put by AND."""
    return _owed_as_text(model, columns, _rules(model))


def next_in_line(queue: str, *, limit: int) -> list[StateMachine]:
    """The rows whose turn it is, in their order; of all machines that share the queue.

    They are read as far as `READ` says.
    """
    found = [row for model in _owing(sharing(queue)) for row in _candidates(model, queue, limit)]
    patient = [row for row in found if row.is_patient]  # type: ignore[attr-defined]  # as `_candidates` has read it
    certain = set(sorted(patient, key=_due)[: math.ceil(limit / PATIENT_PART)])
    others = sorted(set(found) - certain, key=_place)[: limit - len(certain)]
    return sorted([*certain, *others], key=_place)


def sharing(queue: str) -> list[type[StateMachine]]:
    """The machines of which some reaction uses the queue."""
    return [model for model in machines() if any(each.queue == queue for each in reactions_of(model))]


def turn_now(model: type[StateMachine]) -> int:
    """The turn that the background has come to where these records are started: those of a new order are the next ones."""
    return turn_at(start_of(model).queue)


def turn_at(queue: str) -> int:
    """The turn that the background of a queue has come to.

    It is the turn of the last row that the next topping up may take, so nothing that comes later goes before these rows.
    A few rows that come back from a back-off do not turn it back.
    """
    lanes = [rows for each in sharing(queue) for rows in _lane(each, queue, background=True)]
    parts = [rows.order_by(*ORDER).values_list("turn")[: settings.QUEUE_TARGET] for rows in lanes]
    turns = sorted(turn for (turn,) in _together(parts))[: settings.QUEUE_TARGET]
    return turns[-1] if turns else _last_given()


def turns_of(rows: QuerySet[StateMachine]) -> Combinable:
    """A turn for each row of one new order, one after the other by primary key.

    It is an expression for the statement that owes the rows.
    """
    keys = ArraySubquery(rows.order_by("pk").values("pk"))
    # Each finds its place among them by halving; PostgreSQL makes the list once.
    place = Func(F("pk"), keys, function="width_bucket", output_field=BigIntegerField())
    return Value(turn_now(rows.model)) + place


def is_first(model: type[StateMachine], *, pk: int, queue: str, turn: int) -> bool:
    """Whether no other row waits that comes before this one of the background."""
    return not count_before(model, pk=pk, queue=queue, background=True, turn=turn, at_most=0)


def how_many_before(record: StateMachine, *, at_most: int) -> int:
    """How many that are owed work now are likely to be begun before this one; one more than asked for: more."""
    place = {"pk": record.pk, "background": record.background, "turn": record.turn}
    return count_before(type(record), queue=queue_of(type(record), record.state), **place, at_most=at_most)


def count_before(model: type[StateMachine], *, pk: int, queue: str, background: bool, turn: int, at_most: int) -> int:
    """How many rows that wait now for the same queue come before this one; one more than asked for: more."""
    earlier = [
        rows.filter(turn__lte=turn).exclude(turn=turn, pk__gte=pk)
        for rows in _lane(model, queue, background=background)
    ]
    by_hand = _lane(model, queue, background=False) if background else []
    parts = [rows.exclude(pk=pk).order_by().values("pk")[: at_most + 1] for rows in (*earlier, *by_hand)]
    return _together(parts)[: at_most + 1].count()


def _candidates(model: type[StateMachine], queue: str, limit: int) -> list[StateMachine]:
    """All that may be among the next, and some more."""
    with connection.cursor() as cursor:
        # Planned anew each time: a plan that is kept would be the one for as few rows as there were when it was made.
        cursor.execute(_candidates_as_text(model, queue, limit, _rules(model)))
        return [read_in_part(model, CANDIDATE, row) for row in cursor.fetchall()]


def _rules(model: type[StateMachine]) -> Rules:
    """All that decides, beside the model, on what is asked for: a text is good as long as it stays."""
    return (
        settings.RETRY_GRACE_S,
        settings.BACKGROUND_YIELD_S,
        *((each.state, each.queue, each.tries) for each in reactions_of(model)),
    )


@lru_cache(maxsize=100)
def _owed_as_text(model: type[StateMachine], columns: tuple[str, ...], _rules: Rules) -> str:
    return _as_text(owed(model).order_by().values_list(*columns))


@lru_cache(maxsize=500)
def _candidates_as_text(model: type[StateMachine], queue: str, limit: int, _rules: Rules) -> str:
    """Each part by its index, since hundreds of thousands may wait."""
    lanes = [rows for background in (False, True) for rows in _lane(model, queue, background=background)]
    parts = [rows.order_by(*ORDER).annotate(is_patient=Value(False)).values_list(*CANDIDATE)[:limit] for rows in lanes]
    longest = Now() - timedelta(seconds=settings.BACKGROUND_YIELD_S)
    for background in (False, True):
        # By this index, too, and so without a word on who of those that have waited equally long comes first.
        waited = reduce(or_, _lane(model, queue, background=background)).filter(due_at__lte=longest).order_by("due_at")
        waited = waited.annotate(is_patient=Value(True)).values_list(*CANDIDATE)
        parts.append(waited[: math.ceil(limit / PATIENT_PART)])
    return _as_text(_together(parts))


def _as_text(rows: QuerySet[Any, Any]) -> str:
    """The statement with its values in it: Django takes longer to make one than PostgreSQL to answer it."""
    return mogrify(*rows.query.sql_with_params(), connection)


def _lane(model: type[StateMachine], queue: str, *, background: bool) -> list[QuerySet[StateMachine]]:
    lane = [owed(model, queue=queue)]
    if start_of(model).queue == queue:
        lane.append(startable(model))
    return [rows.filter(background=background) for rows in lane]


def _together(parts: Sequence[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    """All the rows. Else Django would sort them as the first machine's lists are sorted, by what may not have been read."""
    first, *others = parts
    return first.union(*others, all=True).order_by() if others else first


def _place(row: StateMachine) -> tuple[bool, int, int]:
    return row.background, row.turn, row.pk


def _due(row: StateMachine) -> tuple[object, int]:
    return row.due_at, row.pk


def _owing(models: Sequence[type[StateMachine]]) -> list[type[StateMachine]]:
    """Those that owe anything, which is mostly none: one short question after every job."""
    tables = (connection.ops.quote_name(model._meta.db_table) for model in models)
    each = (f"EXISTS (SELECT FROM {table} WHERE due_at <= statement_timestamp())" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(each)}")
        return list(compress(models, cursor.fetchone()))


def _time_has_come(model: type[StateMachine]) -> QuerySet[StateMachine]:
    # A retry is RQ's to deliver; only when it is overdue is it ours. A dead worker's row is due when its claim ends.
    patience = timedelta(seconds=settings.RETRY_GRACE_S)
    mine = Q(tries=0) | Q(background=True) | Q(due_at__lte=Now() - patience)
    unclaimed = Q(claimed_until__isnull=True) & mine
    return model._default_manager.filter(
        unclaimed | Q(claimed_until__lte=Now()), state__in=sorted(model.working_states), due_at__lte=Now()
    )


def _last_given() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT last_value FROM {TURNS}")  # noqa: S608 - a constant of ours
        return int(cursor.fetchone()[0])
