"""Many leases at once: made by an import or started together, looked at as one, stopped, and run again."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now

from core.base.statement_limits import answered_in_time
from leases.errors import BatchGone
from leases.models import Batch, BatchLease, Lease
from leases.models.batches import NOT_RUN, OWED
from leases.rights import require
from leases.states import WORKING, State
from statemachine.errors import ChoiceChanged, NothingToStart, RecordGone
from statemachine.line import turn_now, turns_of
from statemachine.transitions import Actor, Step, advance, authorise, locked

logger = logging.getLogger(__name__)

AT_ONCE = 1_000
# Workers wait for them meanwhile.
CANCELLED_AT_ONCE = 50
STOP_WITHIN_S = 8
HASHED = "hashtextextended(concat_ws('|', %(expressions)s), 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the leases of a batch stand, all counted at one instant.

    Attributes:
        settled: leases that ran and that nothing is owed for, by state; pending is what ran in the batch, and what
            another run or somebody by hand has started and stopped since.
        not_run: leases that were stopped, or never begun, before a run of them has ended in the batch or since; what
            one of them is may be known from before.
        under_way: leases that a worker is at, or that are tried again.
        waiting: leases whose run has not begun.
        stoppable: those of the last two that this batch, and nobody since, has started.
    """

    settled: dict[State, int] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What became of stopping a batch, in leases.

    Attributes:
        left: still under way; thousands that all wait for a better time are too many for one click.
    """

    count: int
    left: int


def import_leases(
    *, leases: Iterable[tuple[str, str]], user: User, title: str, left_out: int = 0, batch_size: int = AT_ONCE
) -> Batch:
    """Make leases that have been checked, and owe each its first run, which lets go first what is started by hand.

    Args:
        leases: agency and number, the number normalised.
        title: what the history calls it: the file's name.
        left_out: how many rows of the file are not among them.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        IntegrityError: one of them exists by now. Nothing was saved.
    """
    require(user, "leases.add_lease")
    with transaction.atomic():
        batch = Batch.objects.create(kind=Batch.Kind.IMPORT, title=title, created_by=user, left_out=left_out)
        given = {"created_by_id": user.pk, "updated_by_id": user.pk, "initiated_by_id": user.pk}
        owed = {"owed_by": batch, "due_reason": reason_of(batch)}
        new = [
            Lease(agency=agency, lease_number=number, turn=turn, **given, **owed)
            for turn, (agency, number) in enumerate(leases, start=turn_now(Lease) + 1)
        ]
        made = Lease.objects.bulk_create(new, batch_size=batch_size)
        BatchLease.objects.bulk_create([BatchLease(batch=batch, lease=lease) for lease in made], batch_size=batch_size)
        return _sized(batch, len(made))


def which_of(leases: QuerySet[Lease]) -> str:
    """Tells these leases, none of which is owed a run, from any others, and from themselves once one was run since."""
    each = Func(F("pk"), F("generation"), template=HASHED, output_field=DecimalField())
    counted = leases.order_by().aggregate(count=Count("pk"), sum=Coalesce(Sum(each), Value(Decimal(0))))
    return f"{counted['count']}:{counted['sum']}"


def run_many(leases: QuerySet[Lease], user: User, *, title: str = "", which: str = "") -> Batch:
    """Owe each of the leases a full discovery; those that are owed one already are left alone.

    They start a few at a time, and what people start by hand goes first.

    Args:
        user: whose Dropbox is used.
        title: what the history calls it; empty: how many they are.
        which: as `which_of` has told those that the person was asked about; empty: nobody was asked.

    Raises:
        TransitionForbidden: the person may not run discovery.
        ChoiceChanged: they are others by now, or have been run since. Nothing was saved.
        NothingToStart: all of them are owed a run already, or there are none. Nothing was saved.
        DatabaseTooBusy: nothing was saved.
    """
    require(user, "leases.run_discovery")
    with answered_in_time():
        batch = Batch.objects.create(kind=Batch.Kind.RUN, title=title, created_by=user)
        chosen = Lease.objects.filter(pk__in=leases.values("pk"))
        size = _take_in(batch, chosen.filter(due_at__isnull=True))
        if not size:
            raise NothingToStart
        batch.title = title or f"Full discovery of {size:,} lease{'' if size == 1 else 's'}"
        # They are locked: what they are now, they are when they are owed their run.
        taken = Lease.objects.filter(pk__in=BatchLease.objects.filter(batch=batch).values("lease"))
        if which and which_of(taken) != which:
            raise ChoiceChanged
        _owe(taken, batch, user, follow_through=True)
        return _sized(batch, size)


def reason_of(batch: Batch) -> str:
    """What the history of each of its leases says about why it was started."""
    return f"{_beginning_of_reason(batch.pk)}{batch.title}"


def _beginning_of_reason(batch_id: int) -> str:
    return f"batch {batch_id}: "


def progress_of(batch: Batch) -> Progress:
    """Where the leases of a batch stand, in one query."""
    ours = OWED & Q(lease__background=True, lease__owed_by=batch)
    rows = list(
        BatchLease.objects.filter(batch=batch)
        .values_list("lease__state")
        .annotate(
            count=Count("pk"),
            owed=Count("pk", filter=OWED),
            not_run=Count("pk", filter=NOT_RUN),
            stoppable=Count("pk", filter=ours),
        )
    )
    settled = {State(state): count - owed - not_run for state, count, owed, not_run, _ in rows}
    return Progress(
        settled={state: settled[state] for state in State if settled.get(state)},
        not_run=sum(not_run for _, _, _, not_run, _ in rows),
        under_way=sum(owed for state, _, owed, *_ in rows if state in WORKING),
        waiting=sum(owed for state, _, owed, *_ in rows if state not in WORKING),
        stoppable=sum(stoppable for *_, stoppable in rows),
    )


def owed_by_batches() -> QuerySet[Lease]:
    """What is still owed because of a batch, and not because somebody has started it by hand since."""
    return Lease.objects.filter(owed_by__isnull=False, background=True, due_at__isnull=False)


def failures_of(batch: Batch) -> list[tuple[str, int]]:
    """What the batch's failed leases have failed for: failure code and how many, the most first."""
    members = _standing_at(batch, State.FAILED).order_by()
    counted = members.values_list(_of_lease("failure_code")).annotate(count=Count("pk"))
    return sorted(counted, key=lambda each: (-each[1], each[0]))


def stop(*, batch_id: int, user: User, within_s: float = STOP_WITHIN_S) -> Stopped:
    """Owe nothing any more that the batch has started: what is under way is cancelled, what waits never begins.

    What another batch, or somebody by hand, has started since is left alone.

    Args:
        within_s: what is under way is cancelled one by one, and no further after this time.

    Raises:
        BatchGone: it does not exist.
        TransitionForbidden: the person may not stop discovery. Nothing was changed.
        DatabaseTooBusy: nothing was changed.
    """
    until = time.monotonic() + within_s
    require(user, "leases.run_discovery")
    ours = owed_by_batches().filter(owed_by=batch_id)
    with answered_in_time():
        if not Batch.objects.filter(pk=batch_id).update(stopped_at=Now(), stopped_by=user):
            raise BatchGone
        # Locked, since nothing tells them from the others any more once they are owed nothing.
        not_begun = ours.exclude(state__in=WORKING).order_by("pk").select_for_update()
        passed_over = list(not_begun.values_list("pk", flat=True))
        _call_off(batch_id, passed_over)
        # Whoever is about to start one of them finds another generation, and lets it be.
        waiting = Lease.objects.filter(pk__in=passed_over).update(
            due_at=None,
            due_reason="",
            generation=F("generation") + 1,
            initiated_by=_whose_it_was(batch_id),
            initiated_before=None,
        )
    under_way = list(ours.filter(state__in=WORKING).order_by("pk").values_list("pk", flat=True))
    cancelled = looked_at = 0
    for some in batched(under_way, CANCELLED_AT_ONCE, strict=False):
        if time.monotonic() >= until:
            break
        cancelled += _cancel_all(batch_id, some, user)
        looked_at += len(some)
    logger.info("batch %s: stopped, %s waiting and %s under way", batch_id, waiting, cancelled)
    return Stopped(count=waiting + cancelled, left=len(under_way) - looked_at)


def run_again(*, batch_id: int, state: State, user: User, at_most: int | None = None) -> int:
    """Owe a run to those leases of the batch that have settled in a state; how many.

    Args:
        state: failed, or pending for those that did not run, whatever is known of them from before.
        at_most: as many as the person was told; those that settled first. None: all.
        user: whose Dropbox is used.

    Raises:
        BatchGone: it does not exist.
        TransitionForbidden: the person may not run discovery.
        NothingToStart: none of them is, or all have moved on meanwhile. Nothing was changed.
        DatabaseTooBusy: nothing was changed.
    """
    require(user, "leases.run_discovery")
    with answered_in_time():
        # Not its key, which a lease's transition may ask for that this waits for.
        batch = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id).first()
        if batch is None:
            raise BatchGone
        Batch.objects.filter(pk=batch_id).update(stopped_at=None, stopped_by=None)
        # As they are, since a plan for what they are expected to be may compare each with each.
        members = _standing_at(batch, state).order_by(_of_lease("entered_at"), "lease")
        seen = dict(members.values_list("lease", _of_lease("generation"))[:at_most])
        idle = Lease.objects.filter(pk__in=seen, due_at__isnull=True).order_by("pk").select_for_update()
        # What somebody has run since it was read is not what the batch has to run any more.
        still = [pk for pk, generation in idle.values_list("pk", "generation") if seen[pk] == generation]
        if not (count := _owe(Lease.objects.filter(pk__in=still), batch, user)):
            raise NothingToStart
    logger.info("batch %s: %s leases that were %s run again", batch_id, count, state)
    return count


def _count_members() -> None:
    """Tell PostgreSQL how large the batches are now: it would find out a minute later, and plan badly until then."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {connection.ops.quote_name(BatchLease._meta.db_table)}")


def _take_in(batch: Batch, leases: QuerySet[Lease]) -> int:
    """Make the leases members, and lock them until they are owed; how many."""
    try:
        chosen, parameters = leases.order_by("pk").select_for_update().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    members = BatchLease._meta.db_table
    with connection.cursor() as cursor:
        # Hundreds of thousands need not travel to and fro.
        cursor.execute(
            f"INSERT INTO {members} (batch_id, lease_id) SELECT %s, lease_id FROM ({chosen}) AS chosen (lease_id)",  # noqa: S608 - the ORM's own SQL
            [batch.pk, *parameters],
        )
        return int(cursor.rowcount)


def _standing_at(batch: Batch, state: State) -> QuerySet[BatchLease]:
    """The members that nothing is owed for, in a state; pending is what did not run.

    Each is looked up by its key, whatever PostgreSQL expects of them.
    """
    owed, called_off = Q(due_at__isnull=False), Q(generation=OuterRef("called_off"))
    pending = When(called_off, then=Value(State.PENDING.value))
    standing = _of_lease(Case(When(owed, then=None), pending, default="state", output_field=CharField()))
    members = BatchLease.objects.alias(standing=standing).filter(batch=batch, standing=state)
    return members.not_run() if state == State.PENDING else members


def _call_off(batch_id: int, pks: list[int]) -> None:
    """Keep with the leases, which are locked, that their turn did not come before their next generation.

    What another batch had called off before, and nobody has run since, did not run there either.
    """
    members = BatchLease.objects.filter(Q(batch=batch_id) | Q(called_off=F("lease__generation")), lease__in=pks)
    members.update(called_off=_of_lease(F("generation") + 1))


def _of_lease(wanted: str | Case | CombinedExpression) -> Subquery:
    """Of a member's lease; a condition in it would be a way to find the lease, and a slow one."""
    return Subquery(Lease.objects.order_by().filter(pk=OuterRef("lease")).values_list(wanted))


def _owe(leases: QuerySet[Lease], batch: Batch, user: User, **values: bool) -> int:
    owed = {"due_at": Now(), "due_reason": reason_of(batch), "owed_by": batch, "background": True}
    place = {"turn": turns_of(leases)}
    return leases.update(**owed, **place, initiated_by=user, initiated_before=F("initiated_by"), **values)


def _whose_it_was(batch_id: int) -> Case:
    """Whose the last run of a lease was that the batch has owed a start; nobody's, if that person is gone.

    What goes on by itself is still its own, and what has never run is whose it would have been.
    """
    owed_by_it = Q(due_reason__startswith=_beginning_of_reason(batch_id))
    return Case(
        When(owed_by_it, generation__gt=0, then="initiated_before"),
        When(owed_by_it, then=Coalesce("initiated_before", "initiated_by")),
        default="initiated_by",
    )


def _sized(batch: Batch, size: int) -> Batch:
    batch.size = size
    batch.save(update_fields=["size", "title"])
    if size >= AT_ONCE:
        transaction.on_commit(_count_members, robust=True)
    logger.info("batch %s: %s of %s leases by user %s", batch.pk, batch.kind, size, batch.created_by_id)
    return batch


def _cancel_all(batch_id: int, pks: Iterable[int], user: User) -> int:
    """Some at once, since a commit for each would take longer than a person waits for thousands.

    Nothing, if somebody has run the batch again meanwhile: whoever does waits for this, or this for them.
    """
    with transaction.atomic():
        still = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id, stopped_at__isnull=False)
        return sum(_cancel(batch_id, pk, user) for pk in pks) if still.exists() else 0


def _cancel(batch_id: int, pk: int, user: User) -> bool:
    """Stop a run, unless it has settled, or somebody has started it by hand or with another batch, meanwhile."""
    actor = Actor.person(user)
    try:
        with locked(Lease, pk) as lease:
            if not (lease.is_working and lease.background and lease.owed_by_id == batch_id):
                return False
            authorise(lease, "cancel", actor)
            advance(lease, Step(transition="cancel", reason="batch stopped"), actor)
    except RecordGone:
        return False
    return True
