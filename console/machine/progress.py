"""What is being done about a record, in sentences."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.html import format_html

from console.shell.times import countdown
from statemachine.line import how_many_before
from statemachine.models import StateMachine
from statemachine.obstacles import obstacle
from statemachine.reactions import reaction_for

# So many records are begun within seconds, and so many are counted before “more than”.
SOON, COUNTED_AT_MOST = 10, 1_000


def progress_of(record: StateMachine, *, at: datetime) -> Iterator[str]:
    """What is being done about a record, in sentences.

    Args:
        at: the present instant, aware.
    """
    if record.is_working:
        yield _try_of(record)
        yield _next_step(record, at)
    elif record.is_owed:
        yield _start(record)
    elif record.is_stopped:
        yield "Stopped. Nothing is done until somebody starts it again."
    else:
        yield "Nothing is under way."


def _try_of(record: StateMachine) -> str:
    budget = reaction_for(type(record), record.state).tries
    if record.tries == 0:
        return f"Not tried yet (at most {budget} tries)."
    return f"Try {record.tries} of {budget}."


def _next_step(record: StateMachine, at: datetime) -> str:
    if record.claimed_until and record.claimed_until > at:
        return "A worker is at it."
    if record.claimed_until:
        return f"Its worker was lost. {obstacle() or 'Another one takes over within seconds.'}"
    if record.due_at and _waits(record, at):
        return format_html("Next in {}.", countdown(record.due_at))
    return f"It waits for a worker. {obstacle()}".strip()


def _start(record: StateMachine) -> str:
    """When it begins by itself; “within seconds” only where that is so."""
    if found := obstacle():
        return f"It starts by itself, but not yet. {found}"
    ahead = how_many_before(record, at_most=COUNTED_AT_MOST)
    if ahead < SOON:
        return "It starts by itself within seconds."
    count = f"more than {COUNTED_AT_MOST:,}" if ahead > COUNTED_AT_MOST else f"{ahead:,}"
    return f"It starts by itself when it is its turn: {count} {record._meta.verbose_name_plural} came before it."


def _waits(record: StateMachine, at: datetime) -> bool:
    """Whether it was put back until some later instant."""
    later = record.due_at is not None and record.due_at > at
    return record.is_working and later and record.claimed_until is None and record.rung_at is None
