"""Count transitions, and measure how long a record took to come to rest."""

from collections.abc import Sequence
from datetime import datetime

from django.apps import apps

from core.ops import tally
from statemachine.models import ActorKind, StateMachine, TransitionLog


def note(taken: Sequence[TransitionLog]) -> None:
    """Tally transitions that have been committed together, of one record."""
    for log in taken:
        tally.count("transitions", machine=log.record_type, transition=log.transition, actor=log.actor_kind)
    last = taken[-1]  # its worker has gone straight on from all others
    began = run_began_at(last)
    if began is not None:
        seconds = (last.at - began).total_seconds()
        tally.observe("settle_seconds", seconds, machine=last.record_type, state=last.to_state)


def run_began_at(log: TransitionLog) -> datetime | None:
    """Since when the work was owed that this transition ended; None if it ended none, or a person did.

    A run that started by itself was owed since the record was made, not only since somebody took it up.
    """
    model: type[StateMachine] = apps.get_model(log.record_type)
    working = model.working_states
    if log.to_state in working or log.from_state not in working or log.actor_kind == ActorKind.USER:
        return None
    history = TransitionLog.objects.filter(record_type=log.record_type, record_id=log.record_id)
    starts = history.filter(generation__lt=log.generation, to_state__in=working).exclude(actor_kind=ActorKind.WORKER)
    start = starts.exclude(from_state__in=working).order_by("-generation")
    found = start.values_list("at", "lasted", "from_state", "actor_id").first()
    if found is None:
        return None
    at, lasted, left, actor_id = found
    return at - lasted if left == model.initial_state() and actor_id is None else at
