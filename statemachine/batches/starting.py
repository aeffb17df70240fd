"""Owe many records a run: those of a file, those that somebody has chosen, and once more those of a batch."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, DecimalField, F, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Now

from core.base.statement_limits import answered_in_time
from statemachine.batches.membership import batch_of, items_of, machine_of
from statemachine.batches.progress import of_record, standing_at
from statemachine.errors import BatchGone, ChoiceChanged, NothingToStart
from statemachine.line import turn_now, turns_of
from statemachine.models import Batch, StateMachine
from statemachine.rights import require

logger = logging.getLogger(__name__)

AT_ONCE = 1_000
EVERY = Q()
HASHED = "hashtextextended(concat_ws('|', %(expressions)s), 0)"


def make_many[M: StateMachine](
    *, machine: type[M], records: Iterable[M], user: User, title: str, left_out: int = 0, batch_size: int = AT_ONCE
) -> Batch:
    """Save new records, and owe each its first run, which lets go first what is started by hand.

    Args:
        records: checked, and not saved yet; that the person may make them is the caller's business.
        title: what the history calls it: the file's name.
        left_out: how many rows of the file are not among them.

    Raises:
        IntegrityError: one of them exists by now. Nothing was saved.
    """
    with transaction.atomic():
        batch = batch_of(machine).objects.create(
            record_type=machine._meta.label_lower,
            kind=Batch.Kind.IMPORT,
            title=title,
            created_by=user,
            left_out=left_out,
        )
        owed = {"owed_by_id": batch.pk, "due_reason": reason_of(batch), "initiated_by_id": user.pk}
        new = [_set(record, turn=turn, **owed) for turn, record in enumerate(records, start=turn_now(machine) + 1)]
        made = machine._default_manager.bulk_create(new, batch_size=batch_size)
        items = items_of(machine)
        items._default_manager.bulk_create(
            [items(batch_id=batch.pk, record_id=record.pk) for record in made], batch_size=batch_size
        )
        return _sized(batch, len(made))


def which_of(records: QuerySet[Any]) -> str:
    """A mark of these records, none of which is owed a run. It is another one once any of them has been run."""
    each = Func(F("pk"), F("generation"), template=HASHED, output_field=DecimalField())
    counted = records.order_by().aggregate(count=Count("pk"), sum=Coalesce(Sum(each), Value(Decimal(0))))
    return f"{counted['count']}:{counted['sum']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What running the chosen records would come to.

    Attributes:
        starting: those that are owed no run yet.
        which: what is brought back with the confirmation: it is for these records only, as they are now.
        ahead: what the same person is owed already.
        records: those that would be started.
        user: whose authorisation is used.
    """

    chosen: int
    starting: int
    which: str
    ahead: int
    records: QuerySet[Any]
    user: User

    @property
    def left_alone(self) -> int:
        """Of the chosen ones, those that are owed a run already."""
        return self.chosen - self.starting


def plan_of(
    records: QuerySet[Any], *, user: User, among: Q = EVERY, which_of: Callable[[QuerySet[Any]], str] = which_of
) -> Plan:
    """What it would come to if the person ran these records now; four statements.

    Args:
        among: which of them it may be of.
        which_of: a mark of records that are owed no run.
    """
    idle = Q(due_at__isnull=True) & among
    everything = records.model._default_manager
    counted = records.order_by().aggregate(chosen=Count("pk"), starting=Count("pk", filter=idle))
    ahead = everything.filter(due_at__isnull=False, initiated_by=user).count()
    started = everything.filter(idle, pk__in=records.values("pk"))
    return Plan(**counted, which=which_of(started), ahead=ahead, records=started, user=user)


def run_many(
    records: QuerySet[Any],
    user: User,
    *,
    title: str = "",
    which: str = "",
    name: str = "",
    values: Mapping[str, Any] = MappingProxyType({}),
) -> Batch:
    """Owe each of the records a whole run; those that are owed one already are left alone.

    They start a few at a time, and what people start by hand goes first.

    Args:
        user: whose authorisation is used.
        title: what the history calls it; empty: how many they are.
        which: as `which_of` has told those that the person was asked about; empty: nobody was asked.
        name: what such a run is called; empty: as the machine calls a whole one.
        values: what is set in the rows beside what a whole run sets.

    Raises:
        TransitionForbidden: the person may not run them.
        ChoiceChanged: they are others by now, or have been run since. Nothing was saved.
        NothingToStart: all of them are owed a run already, or there are none. Nothing was saved.
        DatabaseTooBusy: nothing was saved.
    """
    machine: type[StateMachine] = records.model
    require(user, machine.run_right)
    with answered_in_time():
        batch = batch_of(machine).objects.create(
            record_type=machine._meta.label_lower, kind=Batch.Kind.RUN, title=title, created_by=user
        )
        chosen = machine._default_manager.filter(pk__in=records.values("pk"))
        size = _take_in(batch, chosen.filter(due_at__isnull=True))
        if not size:
            raise NothingToStart(_nothing_to_start(machine))
        batch.title = title or f"{name or machine.run_name} of {machine.counted(size)}"
        # They are locked: what they are now, they are when they are owed their run.
        items = items_of(machine)._default_manager.filter(batch=batch.pk)
        taken = machine._default_manager.filter(pk__in=items.values("record"))
        if which and which_of(taken) != which:
            raise ChoiceChanged(_choice_changed(machine))
        _owe(taken, batch, user, **{**machine.run_values, **values})
        return _sized(batch, size)


def run_again(*, batch_id: int, state: str, user: User, at_most: int | None = None) -> int:
    """Owe a run to those records of the batch that have settled in a state; how many.

    Args:
        state: the machine's failed state, or its initial one for those that did not run, whatever is known of them from
            before.
        at_most: as many as the person was told; those that settled first. None: all.
        user: whose authorisation is used.

    Raises:
        BatchGone: it does not exist.
        TransitionForbidden: the person may not run them.
        NothingToStart: none of them is, or all have moved on meanwhile. Nothing was changed.
        DatabaseTooBusy: nothing was changed.
    """
    with answered_in_time():
        # Not its key, which a record's transition may ask for that this waits for.
        batch = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id).first()
        if batch is None:
            raise BatchGone
        machine = machine_of(batch)
        require(user, machine.run_right)
        Batch.objects.filter(pk=batch_id).update(stopped_at=None, stopped_by=None)
        # As they are, since a plan for what they are expected to be may compare each with each.
        members = standing_at(batch, state).order_by(of_record(machine, "entered_at"), "record")
        seen = dict(members.values_list("record", of_record(machine, "generation"))[:at_most])
        theirs = machine._default_manager.filter(machine.run_by(user), pk__in=seen, due_at__isnull=True)
        idle = theirs.order_by("pk").select_for_update()
        # What somebody has run since it was read is not what the batch has to run any more.
        still = [pk for pk, generation in idle.values_list("pk", "generation") if seen[pk] == generation]
        if not (count := _owe(machine._default_manager.filter(pk__in=still), batch, user)):
            raise NothingToStart(_nothing_to_start(machine))
    logger.info("batch %s: %s records that were %s run again", batch_id, count, state)
    return count


def reason_of(batch: Batch) -> str:
    """What the history of each of its records says about why it was started."""
    return f"{beginning_of_reason(batch.pk)}{batch.title}"


def beginning_of_reason(batch_id: int) -> str:
    """By which what a batch has owed is told from what goes on by itself."""
    return f"batch {batch_id}: "


def _set[M: StateMachine](record: M, **values: Any) -> M:
    for name, value in values.items():
        setattr(record, name, value)
    return record


def _take_in(batch: Batch, records: QuerySet[Any]) -> int:
    """Make the records members, and lock them until they are owed; how many."""
    try:
        chosen, parameters = records.order_by("pk").select_for_update().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    machine: type[StateMachine] = records.model
    members = items_of(machine)._meta.db_table
    with connection.cursor() as cursor:
        # Hundreds of thousands need not travel to and fro.
        cursor.execute(
            f"INSERT INTO {members} (batch_id, record_id) SELECT %s, record_id FROM ({chosen}) AS chosen (record_id)",  # noqa: S608 - the ORM's own SQL
            [batch.pk, *parameters],
        )
        return int(cursor.rowcount)


def _owe(records: QuerySet[Any], batch: Batch, user: User, **values: Any) -> int:
    owed = {"due_at": Now(), "due_reason": reason_of(batch), "owed_by": batch.pk, "background": True}
    place = {"turn": turns_of(records)}
    return records.update(**owed, **place, initiated_by=user, initiated_before=F("initiated_by"), **values)


def _sized(batch: Batch, size: int) -> Batch:
    batch.size = size
    batch.save(update_fields=["size", "title"])
    if size >= AT_ONCE:
        transaction.on_commit(lambda: _count_members(batch), robust=True)
    logger.info("batch %s: %s of %s records by user %s", batch.pk, batch.kind, size, batch.created_by_id)
    return batch


def _count_members(batch: Batch) -> None:
    """Tell PostgreSQL how large the batches are now: it would find out a minute later, and plan badly until then."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {connection.ops.quote_name(items_of(machine_of(batch))._meta.db_table)}")


def _nothing_to_start(machine: type[StateMachine]) -> str:
    return (
        f"There is nothing to start: each of these {machine._meta.verbose_name_plural} is under way or about to start. "
        "Nothing was changed."
    )


def _choice_changed(machine: type[StateMachine]) -> str:
    return (
        f"Since you were asked, the {machine._meta.verbose_name_plural} have changed: others match, or somebody has run "
        "some. Nothing was changed."
    )
