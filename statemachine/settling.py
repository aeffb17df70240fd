"""Count transitions, and measure how long a record took to come to rest."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import QuerySet

from core.base.database import fetch_one
from core.ops import tally
from statemachine.models import ActorKind, StateMachine, TransitionLog

# What a start says of when its run began.
TOLD = ("at", "lasted", "from_state", "actor_id")
# As text, since every run reads it; `_starts` of one record.
START = """
SELECT {columns} FROM statemachine_transitionlog
WHERE record_type = %s AND record_id = %s AND generation < %s AND to_state = ANY(%s)
    AND actor_kind <> 'worker' AND from_state <> ALL(%s)
ORDER BY generation DESC LIMIT 1
"""


def note(taken: Sequence[TransitionLog]) -> None:
    """Tally transitions that have been committed together, of one record."""
    for log in taken:
        tally.count("transitions", machine=log.record_type, transition=log.transition, actor=log.actor_kind)
    last = taken[-1]  # its worker has gone straight on from all others
    began = run_began_at(last)
    if began is not None:
        seconds = (last.at - began).total_seconds()
        tally.observe("settle_seconds", seconds, machine=last.record_type, state=last.to_state)


def note_each(taken: Sequence[TransitionLog]) -> None:
    """Tally transitions that have been committed together, of several records of one machine; one query for all."""
    last = {log.record_id: log for log in taken}
    if len(last) == 1:
        note(taken)
        return
    for log in taken:
        tally.count("transitions", machine=log.record_type, transition=log.transition, actor=log.actor_kind)
    ended = {record: log for record, log in last.items() if _ends_a_run(log)}
    if not ended:
        return
    machine = taken[0].record_type
    starts = _starts(machine).filter(record_id__in=ended).order_by("record_id", "-generation").distinct("record_id")
    for record_id, at, lasted, left, actor_id in starts.values_list("record_id", *TOLD):
        log = ended[record_id]
        tally.observe(
            "settle_seconds",
            (log.at - _began(machine, at, lasted, left, actor_id)).total_seconds(),
            machine=machine,
            state=log.to_state,
        )


def run_began_at(log: TransitionLog) -> datetime | None:
    """Since when the work was owed that this transition ended; None if it ended none, or a person did.

    A run that started by itself was owed since the record was made, not only since somebody took it up.
    """
    if not _ends_a_run(log):
        return None
    working = list(_machine(log.record_type).working_states)
    found = fetch_one(TransitionLog, START, [log.record_type, log.record_id, log.generation, working, working])
    return _began(log.record_type, found.at, found.lasted, found.from_state, found.actor_id) if found else None


def _ends_a_run(log: TransitionLog) -> bool:
    working = _machine(log.record_type).working_states
    return log.to_state not in working and log.from_state in working and log.actor_kind != ActorKind.USER


def _starts(machine: str) -> QuerySet[TransitionLog]:
    working = _machine(machine).working_states
    started = TransitionLog.objects.filter(record_type=machine, to_state__in=working)
    return started.exclude(actor_kind=ActorKind.WORKER).exclude(from_state__in=working)


def _began(machine: str, at: datetime, lasted: timedelta, left: str, actor_id: int | None) -> datetime:
    return at - lasted if left == _machine(machine).initial_state() and actor_id is None else at


def _machine(label: str) -> type[StateMachine]:
    model: type[StateMachine] = apps.get_model(label)
    return model
