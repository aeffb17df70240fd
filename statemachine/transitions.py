"""The one door: every transition, from button, command, job or reconciler, goes through here."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.functions import Now

from core.base.database import fetch_one, insert, update, update_all
from core.ops import tally
from statemachine import settling
from statemachine.dispatch import kick
from statemachine.doorbell import Message
from statemachine.errors import RecordGone, Stale, TransitionForbidden, TransitionRefused, UnknownTransition
from statemachine.evidence import bounded
from statemachine.models import NEXT_TURN, ActorKind, StateMachine, TransitionLog
from statemachine.reactions import queue_of, reaction_for

logger = logging.getLogger(__name__)

# As text, since every transition reads this, and what Django makes of it takes longer to make than to answer.
LOCK = "SELECT {columns}, statement_timestamp() AS database_now FROM {table} WHERE {pk} = %s FOR UPDATE {otherwise}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who takes a transition.

    Attributes:
        user: set for a person; permissions are checked for people only.
        job_id: set for a worker.
    """

    kind: ActorKind
    user: User | None = None
    job_id: str = ""

    @classmethod
    def person(cls, user: User) -> "Actor":
        return cls(kind=ActorKind.USER, user=user)

    @classmethod
    def worker(cls, job_id: str) -> "Actor":
        return cls(kind=ActorKind.WORKER, job_id=job_id)


RECONCILER = Actor(kind=ActorKind.RECONCILER)
# Whoever may run commands where Runsheet is installed may do all of it; the database has no name for them.
TERMINAL = Actor(kind=ActorKind.TERMINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transition to take.

    Attributes:
        arguments: the transition method's.
        reason: why, for a person reading the log; empty: why it was owed.
        evidence: what was asked and answered (JSON).
        claim: the worker who takes it goes straight on with the state it leads to.
        background: let what others start by hand go first; None: as the record says, but what a person starts goes first.
        turn: its place in the background, as one of many that are ordered together; None: an order of its own.
        rings: whether to ring once it is committed; else whoever takes it does.
    """

    transition: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    claim: bool = False
    background: bool | None = None
    turn: int | None = None
    rings: bool = True


def take[M: StateMachine](*, model: type[M], pk: int, step: Step, actor: Actor, generation: int | None = None) -> M:
    """Take one transition, in a transaction of its own or in the one that is open.

    Args:
        generation: refuse if the record has moved on from it; None: whatever the record's present state allows.

    Returns:
        The record as it is afterwards.

    Raises:
        RecordGone, UnknownTransition, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
    """
    with locked(model, pk) as record:
        if generation is not None and record.generation != generation:
            raise Stale
        authorise(record, step.transition, actor)
        advance(record, step, actor)
    return record


@contextmanager
def locked[M: StateMachine](model: type[M], pk: int, *, wait: bool = True) -> Iterator[M]:
    """The record, locked until the transaction ends.

    Args:
        wait: for whoever holds it now; else a record that is held is as good as gone.

    Raises:
        RecordGone: it does not exist.
    """
    with transaction.atomic():
        record = _fetch_locked(model, pk, wait=wait)
        if record is None:
            raise RecordGone
        yield record


def _fetch_locked[M: StateMachine](model: type[M], pk: int, *, wait: bool) -> M | None:
    record = fetch_one(model, LOCK, [pk], otherwise="" if wait else "SKIP LOCKED")
    if record:
        record.note_as_read()
    return record


def locked_all[M: StateMachine](model: type[M], pks: Sequence[int], *, wait: bool) -> dict[int, M]:
    """Several records, locked until the transaction that is open ends; those that are gone are left out.

    Args:
        wait: for whoever holds one now; else that is left out, too.
    """
    if len(pks) == 1:
        record = _fetch_locked(model, pks[0], wait=wait)
        return {record.pk: record} if record else {}
    rows = model._default_manager.select_for_update(of=("self",), skip_locked=not wait).order_by("pk")
    found = {record.pk: record for record in rows.annotate(database_now=Now()).filter(pk__in=pks)}
    for record in found.values():
        record.note_as_read()
    return found


@contextmanager
def fenced[M: StateMachine](model: type[M], message: Message, *, wait: bool = True) -> Iterator[M]:
    """The record, locked, if it is still where the message says.

    Args:
        wait: for whoever holds it now; else it counts as moved on.

    Raises:
        Stale: it has moved on or is gone.
    """
    try:
        with locked(model, message.pk, wait=wait) as record:
            if (record.state, record.generation) != (message.state, message.generation):
                raise Stale
            yield record
    except RecordGone:
        raise Stale from None


def authorise(record: StateMachine, transition_name: str, actor: Actor) -> None:
    """Check what a button would have checked.

    Raises:
        UnknownTransition, TransitionRefused: no such transition, or not from the present state.
        TransitionForbidden: the person lacks the permission, or no permission lets a person do it.
    """
    found = _transition(record, transition_name)
    if actor.kind == ActorKind.USER and not (found.permission and found.has_perm(record, actor.user)):
        raise TransitionForbidden(f"You do not have the permission to do “{label_of(found)}”. Ask an administrator.")


def advance(record: StateMachine, step: Step, actor: Actor) -> None:
    """Take a transition on a locked record, or a new one, log it, and ring when it is committed.

    Raises:
        UnknownTransition, TransitionRefused: nothing was changed.
    """
    advance_through(record, [step], actor)


def advance_through(record: StateMachine, steps: Sequence[Step], actor: Actor) -> None:
    """Take several transitions, one after the other; the record is written once, each has its row of the log.

    Raises:
        UnknownTransition, TransitionRefused: nothing was written.
    """
    taken = [move(record, step, actor) for step in steps]
    _save(record)
    for row in taken:
        row.record_id = record.pk
        if isinstance(row.at, Now):  # of a new record; the database has told it just now
            row.at = record.entered_at
    insert(taken)
    for row in taken:
        tell(record, row)
    last = steps[-1]
    rings = record.is_working and last.rings and not last.claim
    transaction.on_commit(partial(_committed, record, taken, rings=rings), robust=True)


def _committed(record: StateMachine, taken: list[TransitionLog], *, rings: bool) -> None:
    with tally.gathered():
        try:
            if rings:
                turn = record.turn if record.background else None
                queue = queue_of(type(record), record.state)
                kick(record._meta.label_lower, record.pk, queue=queue, turn=turn)
        finally:
            settling.note(taken)


def log_edit(record: StateMachine, edit: str, actor: Actor, *, reason: str) -> None:
    """Log what somebody has changed of a locked record without taking it anywhere; it is written, under its new generation.

    Args:
        edit: one of the machine's `edits`.
        reason: what was changed, for a person reading the log.
    """
    row = TransitionLog(
        record_type=record._meta.label_lower,
        record_id=record.pk,
        transition=edit,
        from_state=record.state,
        to_state=record.state,
        generation=record.generation,
        actor_kind=actor.kind,
        actor=actor.user,
        reason=reason,
        at=max(database_now(record), record.entered_at),
        lasted=timedelta(),
        tries=record.tries,
    )
    insert([row])
    tell(record, row)


def move(record: StateMachine, step: Step, actor: Actor) -> TransitionLog:
    """Change the record as the transition says; its row of the log, which is still without the record."""
    left, since, tries = record.state, record.entered_at, record.tries
    reason = step.reason or record.due_reason
    is_new = record.pk is None
    at = Now() if is_new else max(database_now(record), since)
    _transition(record, step.transition)
    getattr(record, step.transition)(**step.arguments)
    _owe(record, at, claim=step.claim)
    _start_run(record, step, actor)
    if step.transition != "fail":
        record.failure_code = record.failure_message = ""
    record.entering()
    return TransitionLog(
        record_type=record._meta.label_lower,
        record_id=record.pk,
        transition=step.transition,
        from_state=left,
        to_state=record.state,
        generation=record.generation,
        actor_kind=actor.kind,
        actor=actor.user,
        reason=reason,
        job_id=actor.job_id,
        at=at,
        lasted=timedelta() if is_new else at - since,
        tries=tries,
        evidence=bounded(step.evidence),
    )


def _save(record: StateMachine) -> None:
    """Write what has changed since it was locked; all of a new one."""
    before, fields = record.as_read, record._meta.concrete_fields
    if before is None:
        record.save()
        return
    changed = [each for each in fields if getattr(record, each.attname) != before[each.attname]]
    stamped = [each for each in fields if getattr(each, "auto_now", False)]
    is_given_by_database = any(hasattr(getattr(record, each.attname), "resolve_expression") for each in changed)
    if is_given_by_database or type(record).save is not Model.save:  # the machine may have a `save` of its own
        record.save(update_fields=[each.attname for each in (*changed, *stamped)])
    else:
        update(record, [*changed, *stamped])
    record.note_as_read()  # another transition may follow in this transaction


def save_all(model: type[StateMachine], records: Sequence[StateMachine]) -> None:
    """Write what has changed of locked records by one statement, past their `save`."""
    if not records:
        return
    if len(records) == 1:
        _save(records[0])
        return
    names = set().union(*(each.changed_fields for each in records))
    changed = [
        each for each in model._meta.concrete_fields if each.attname in names or getattr(each, "auto_now", False)
    ]
    if any(_is_no_value(each, record) for each in changed for record in records):
        _insert_all(model, records)
    else:
        update_all(records, changed)
    for each in records:
        each.note_as_read()


def _is_no_value(field: Any, record: StateMachine) -> bool:
    """Whether it cannot stand in an array: the database is asked for it, or it is an array itself."""
    return hasattr(getattr(record, field.attname), "resolve_expression") or field.db_type(connection).endswith("]")


def _insert_all(model: type[StateMachine], records: Sequence[StateMachine]) -> None:
    """By an insert that meets them all, which takes expressions, too."""
    fields = [each for each in model._meta.concrete_fields if not (each.primary_key or each.generated)]
    manager: Any = model._default_manager
    manager.bulk_create(
        records,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=[each.name for each in fields if not getattr(each, "auto_now_add", False)],
    )


def tell(record: StateMachine, row: TransitionLog) -> None:
    """Say in the log of the program what the row says."""
    logger.info(
        "transition: %s %s %s: %s → %s, generation %s, by %s, user %s",
        row.record_type, record.pk, row.transition, row.from_state, row.to_state, row.generation, row.actor_kind,
        record.initiated_by_id,
        extra={
            f"{record._meta.model_name}_id": record.pk,
            "user_id": record.initiated_by_id,
            "generation": row.generation,
            **record.log_context(),
        },
    )  # fmt: skip


def _owe(record: StateMachine, at: Any, *, claim: bool) -> None:
    record.generation += 1
    record.entered_at = at
    record.rung_at = None
    record.due_reason = ""
    record.tries = 1 if claim else 0
    held_s = reaction_for(type(record), record.state).limits.held_s if claim else 0
    record.claimed_until = at + timedelta(seconds=held_s) if claim else None
    record.due_at = (record.claimed_until or at) if record.is_working else None
    if record.is_working:
        record.initiated_before_id = None  # the run has begun


def _start_run(record: StateMachine, step: Step, actor: Actor) -> None:
    """What a person starts uses that person's authorisation, is waited for, and is a new order; else it keeps its place."""
    if record.is_working and actor.kind == ActorKind.USER:
        record.initiated_by_id = actor.user.pk if actor.user else None
        record.background = False
    if step.background is not None:
        record.background = step.background
    if record.is_working and (actor.kind == ActorKind.USER or step.background is not None):
        record.turn = NEXT_TURN if step.turn is None else step.turn


def label_of(found: Any) -> str:
    """What the button for a transition says."""
    return str(found.custom.get("label") or found.name.replace("_", " "))


def _transition(record: StateMachine, name: str) -> Any:
    """django-fsm's transition of that name from the present state, its conditions met."""
    method = getattr(record, name, None)
    meta = getattr(method, "_django_fsm", None)
    if meta is None:
        raise UnknownTransition(f"“{name}” is not a transition of a {record._meta.verbose_name}.")
    found = meta.get_transition(record.state)
    if found is None or not meta.conditions_met(record, record.state):
        raise _refusal(record, name)
    return found


def _refusal(record: StateMachine, name: str) -> TransitionRefused:
    return TransitionRefused(
        f"“{name.replace('_', ' ')}” is not possible while the {record._meta.verbose_name} is “{record.state}”. "
        "Look at it again to see what happened meanwhile."
    )


def database_now(record: StateMachine) -> datetime:
    """When a record that is `locked` was read, by the database's clock."""
    found: datetime = record.database_now  # type: ignore[attr-defined]  # annotated by `locked`
    return found
