"""What an ending means for a locked record, whether it is written alone or with others."""

from collections.abc import Iterator
from datetime import timedelta

from core.base.errors import RunsheetError, SoftTimeLimit, Temporary, WorkerStopping
from statemachine.errors import TookTooLong, WorkerStopped
from statemachine.models import StateMachine
from statemachine.reactions import Outcome
from statemachine.transitions import Step, database_now


def steps_of(outcome: Outcome, record: StateMachine) -> Iterator[Step]:
    """The transitions to take, after what belongs together with the first one is written."""
    arguments = outcome.record(record) if outcome.record else {}
    yield Step(transition=outcome.transition, arguments=arguments, reason=outcome.reason, evidence=outcome.evidence)
    if outcome.then:
        yield Step(transition=outcome.then, reason=outcome.then_reason, claim=True)


def failing_step(error: RunsheetError, *, after: int = 1) -> Step:
    """To give up, after so many tries."""
    sentence = f"{error} It was tried {after} times." if after > 1 else str(error)
    arguments = {"code": error.code, "message": sentence}
    return Step(transition="fail", arguments=arguments, reason=sentence, evidence=error.evidence)


def as_temporary(error: Temporary | SoftTimeLimit | WorkerStopping) -> Temporary:
    """What interrupts the work, as what it means for the row."""
    if isinstance(error, Temporary):
        return error
    return TookTooLong() if isinstance(error, SoftTimeLimit) else WorkerStopped()


def explanation_of(error: Temporary) -> str:
    """What the record says until it is tried again."""
    return f"{error} {error.goes_on}".strip()


def put_back(record: StateMachine, error: Temporary, *, delay_s: float) -> None:
    """Let go of a locked record, which is yet to be written, until it is tried again."""
    record.tries -= 0 if error.costs_try else 1
    record.claimed_until = None
    record.due_at = database_now(record) + timedelta(seconds=delay_s)
    record.failure_code, record.failure_message = error.code, explanation_of(error)
