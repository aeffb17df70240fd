"""What a message makes a worker do: claim, work outside any transaction, commit while the fence holds."""

import logging
import time
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.db import Error, connection
from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars

from core.base import redis_client
from core.base.database import in_words, is_conflict, is_outage
from core.base.errors import RunsheetError, SoftTimeLimit, Temporary, WorkerStopping
from core.ops import tally
from statemachine import claims, outages
from statemachine.doorbell import Message, again_in
from statemachine.errors import Bug, ClaimLost, OurOutage, RowLocked, Stale, TookTooLong, WorkerStopped
from statemachine.models import StateMachine
from statemachine.pump import top_up
from statemachine.reactions import GoOn, Outcome, Reaction, Run, queue_of, reaction_for, reaction_of_job
from statemachine.slices import owe_next_slice
from statemachine.transitions import Actor, Step, advance, fenced
from statemachine.worker import begin_limits_anew

logger = logging.getLogger(__name__)

STALE = "stale"
WAITING = "waiting"
GOES_ON = "goes on"
# Whoever holds a row for longer than its lock's time-out is likely to hold it for some seconds more.
LOCKED_S = 5
# How long a worker tries to give back what an outage of the database keeps it from recording; it could do nothing else.
OUTAGE_PATIENCE_S = 45.0
OUTAGE_POLL_S = 1.0


def run(label: str, pk: int, state: str, generation: int) -> Any:
    """Do the work that a row owes, then see that the queue does not run empty; the RQ job.

    Returns:
        The state it ended in. "stale": the row had moved on, and nothing was written. "waiting": it is tried again when
        it is due. "goes on": its next slice is owed. An `rq.Retry`: the same, but sooner.

    Raises:
        Exception: a bug in the work; recorded with the row first, and never tried again.
    """
    message = Message(label=label, pk=pk, state=state, generation=generation)
    with bound_contextvars(**{f"{label.rpartition('.')[2]}_id": pk}, generation=generation, job_id=message.job_id):
        ended = _run(message)
        _top_up(message)
    return ended


def _run(message: Message) -> Any:
    found = reaction_of_job(message.job_id)
    if found is None:  # a message that was sent before this state was renamed
        return _stale(message)
    try:
        record = claims.claim(message, held_s=found.limits.held_s)
    except Error as error:
        if not (is_outage(error) or is_conflict(error)):
            raise
        # It stays owed: the reconciler rings again for a message that was not answered.
        logger.warning("job: %s could not be begun. %s", message.job_id, in_words(error))
        return WAITING
    if record is None:
        return _stale(message)
    try:
        context = {"user_id": record.initiated_by_id, **record.log_context()}
        hold = found.hold_of([message])
        with bound_contextvars(**context), claims.ClaimKeeper(hold) as keeper:
            return _work(Run(record=record, job_id=message.job_id, hold=hold), keeper)
    except (Stale, ClaimLost):
        return _stale(message)


def _stale(message: Message) -> str:
    """The row has moved on, before the claim or since; nothing was written."""
    logger.info("job: %s is stale", message.job_id)
    tally.count("stale_messages", machine=message.label)
    return STALE


def _top_up(message: Message) -> None:
    try:
        top_up(queue_of(apps.get_model(message.label), message.state))
    except RedisError as error:
        logger.warning(
            "job: the queue could not be topped up; the reconciler does it. %s", redis_client.in_words(error)
        )
    except Error as error:
        logger.warning("job: the queue could not be topped up; the reconciler does it. %s", in_words(error))


def _work(this: Run[StateMachine], keeper: claims.ClaimKeeper) -> Any:
    """Work through the states that the row owes, one after the other, as long as each outcome says to go on."""
    ended: Any = this
    while isinstance(ended, Run):
        this, found = ended, reaction_for(type(ended.record), ended.record.state)
        begin_limits_anew(found.limits)
        keeper.hold = this.hold
        with bound_contextvars(generation=this.message.generation, job_id=this.message.job_id):
            ended = _react_unless_locked(this, found)
    return ended


def _react_unless_locked(this: Run[StateMachine], found: Reaction) -> Any:
    logger.info("job: %s begins, try %s", this.message.job_id, this.record.tries)
    tally.count("tries", machine=this.message.label, state=this.message.state)
    try:
        ended = _react(this, found)
    except Exception as error:
        if is_conflict(error):
            logger.warning("job: %s cannot be done now (%s)", this.message.job_id, error)
            return _set_aside(this, found, RowLocked(retry_after_s=LOCKED_S))
        outage = outages.outage_in(error)
        if outage is None:
            raise
        logger.warning("job: %s cannot be done now (%s)", this.message.job_id, error)
        outage.retry_after_s = outages.pause_s()
        return _set_aside(this, found, outage)
    outages.over()
    return ended


def _set_aside(this: Run[StateMachine], found: Reaction, error: RowLocked | OurOutage) -> Any:
    """Put the work back at no cost; the database, which has to take that, may be what is out of order."""
    given_up_at = time.monotonic() + OUTAGE_PATIENCE_S
    while time.monotonic() < given_up_at:
        try:
            ended = _put_back(this, found, error)
        except Error as failure:
            if not (is_outage(failure) or is_conflict(failure)):
                raise
            connection.close_if_unusable_or_obsolete()
        else:
            if ended == STALE:
                claims.give_back_try(this.record)
            return ended
        try:
            time.sleep(OUTAGE_POLL_S)
        except (SoftTimeLimit, WorkerStopping):
            break
    # The claim runs out. A reconciler that has seen the outage gives the try back, too.
    logger.warning("job: %s could not even be put back", this.message.job_id)
    return WAITING


def _react(this: Run[StateMachine], found: Reaction) -> Any:
    """Do the work of one state and record what came of it; the next run if the worker goes straight on."""
    try:
        ending = found.react(this)
        if isinstance(ending, GoOn):
            _keep(this, ending)
            return GOES_ON
        following = _commit(this, ending)
    except (Temporary, SoftTimeLimit, WorkerStopping) as error:
        return _put_back(this, found, error)
    except RunsheetError as error:
        return _fail(this, error)
    except Exception as error:
        if is_conflict(error) or outages.outage_in(error):
            raise
        logger.exception("job: %s hit a bug", this.message.job_id)
        with suppress(Stale):  # the bug is told all the same
            _fail(this, Bug(evidence={"exception": type(error).__name__}))
        raise
    return following or this.record.state


def _keep(this: Run[StateMachine], slice_done: GoOn) -> None:
    """Record what the slice has reached if the row is still ours, and owe the next one."""
    with fenced(type(this.record), this.message) as record:
        if slice_done.record:
            slice_done.record(record)
        owe_next_slice(record)
    tally.count("slices", machine=this.message.label, state=this.message.state)
    logger.info("job: %s goes on with another slice", this.message.job_id)


def _commit(this: Run[StateMachine], outcome: Outcome) -> Run[StateMachine] | None:
    """Record the outcome if the row is still ours; the next run if the worker goes straight on."""
    actor = Actor.worker(this.job_id)
    with fenced(type(this.record), this.message) as record:
        arguments = outcome.record(record) if outcome.record else {}
        step = Step(
            transition=outcome.transition, arguments=arguments, reason=outcome.reason, evidence=outcome.evidence
        )
        advance(record, step, actor)
        if outcome.then:
            advance(record, Step(transition=outcome.then, reason="full discovery", claim=True), actor)
    this.record = record
    if not outcome.then:
        return None
    hold = reaction_for(type(record), record.state).hold_of([claims.message_of(record)])
    return Run(record=record, job_id=this.job_id, carry=outcome.carry, hold=hold)


def _put_back(this: Run[StateMachine], found: Reaction, error: Temporary | SoftTimeLimit | WorkerStopping) -> Any:
    """Wait and try again, or give up when the budget is spent."""
    temporary = _as_temporary(error)
    if temporary.costs_try and this.record.tries >= found.tries:
        return _fail(this, temporary, after=this.record.tries)
    delay_s = found.delay_s(tries=this.record.tries, error=temporary)
    written = claims.put_back(
        this.message,
        delay_s=delay_s,
        counted=temporary.costs_try,
        code=temporary.code,
        explanation=f"{temporary} {temporary.goes_on}".strip(),
    )
    logger.info(
        "job: %s failed on try %s (%s), again in %.1f s",
        this.message.job_id,
        this.record.tries,
        temporary.code,
        delay_s,
    )
    if not written:
        return _stale(this.message)
    tally.count("tries_put_back", machine=this.message.label, state=this.message.state, code=temporary.code)
    # RQ brings it sooner than the reconciler; but many at once would be a long queue again, and nobody waits for those.
    return again_in(delay_s) if temporary.costs_try and not this.record.background else WAITING


def _as_temporary(error: Temporary | SoftTimeLimit | WorkerStopping) -> Temporary:
    if isinstance(error, Temporary):
        return error
    return TookTooLong() if isinstance(error, SoftTimeLimit) else WorkerStopped()


def _fail(this: Run[StateMachine], error: RunsheetError, *, after: int = 1) -> str:
    """Give up, after so many tries."""
    sentence = f"{error} It was tried {after} times." if after > 1 else str(error)
    with fenced(type(this.record), this.message) as record:
        advance(
            record,
            Step(
                transition="fail",
                arguments={"code": error.code, "message": sentence},
                reason=sentence,
                evidence=error.evidence,
            ),
            Actor.worker(this.job_id),
        )
        if gave_up := reaction_for(type(record), this.message.state).gave_up:
            gave_up(record, error)
    tally.count("tries_given_up", machine=this.message.label, state=this.message.state, code=error.code)
    logger.info("job: %s gave up after try %s (%s)", this.message.job_id, this.record.tries, error.code)
    return str(record.state)
