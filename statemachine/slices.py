"""Long work in slices: what a slice has reached is kept, and the next one waits its turn like everybody else.

See docs/decisions/0015-slices-and-sets.md.
"""

from functools import partial
from typing import Any

from django.db import transaction

from statemachine.dispatch import kick
from statemachine.line import turn_at
from statemachine.models import NEXT_TURN, StateMachine
from statemachine.reactions import queue_of
from statemachine.transitions import database_now


def owe_next_slice(record: StateMachine) -> None:
    """Write a locked record and owe its next slice, behind the rows that wait now; ring when it is committed."""
    change(record, turn=next_turn(record))
    record.save()
    queue, turn = queue_of(type(record), record.state), record.turn if record.background else None
    transaction.on_commit(partial(kick, record._meta.label_lower, record.pk, queue=queue, turn=turn), robust=True)


def next_turn(record: StateMachine) -> Any:
    """The next slice's place in the line. If it kept its old place, long work would always be next.

    In the background it is like one more row of an order, and so has one turn in each round.
    """
    return turn_at(queue_of(type(record), record.state)) + 1 if record.background else NEXT_TURN


def change(record: StateMachine, *, turn: Any) -> None:
    """Owe the next slice of a locked record, which is yet to be written.

    A new generation makes each message of the slice before stale. The tries begin anew, since something was reached.
    """
    record.generation += 1
    record.tries = 0
    record.due_at = database_now(record)
    record.claimed_until = record.rung_at = None
    record.failure_code = record.failure_message = ""
    record.turn = turn
