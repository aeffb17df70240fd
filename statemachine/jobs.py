"""What a message makes a worker do: claim, work outside any transaction, commit while the fence holds."""

import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.db import Error
from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars

from core.base import redis_client
from core.base.database import in_words, is_conflict, is_outage
from core.base.errors import RunsheetError, SoftTimeLimit, Temporary, WorkerStopping
from core.ops import tally
from statemachine import claims, duties, outages, sets
from statemachine.doorbell import Message, again_in
from statemachine.endings import as_temporary, explanation_of, failing_step, steps_of
from statemachine.errors import Bug, ClaimLost, OurOutage, RowLocked, Stale
from statemachine.interruptions import told_as_such
from statemachine.models import StateMachine
from statemachine.pump import top_up
from statemachine.reactions import Ending, GoOn, Outcome, Reaction, Run, queue_of, reaction_for, reaction_of_job
from statemachine.sets import LOCKED_S, STALE, WAITING
from statemachine.slices import owe_next_slice
from statemachine.transitions import Actor, advance, advance_through, fenced
from statemachine.worker import begin_limits_anew

logger = logging.getLogger(__name__)

GOES_ON = "goes on"


def run(label: str, pk: int, state: str, generation: int) -> Any:
    """Do the work that a row owes, then see that the queue does not run empty; the RQ job.

    Returns:
        The state it ended in. "stale": the row had moved on, and nothing was written. "waiting": it is tried again when
        it is due. "goes on": its next slice is owed. An `rq.Retry`: the same, but sooner.

    Raises:
        Exception: a bug in the work; recorded with the row first, and never tried again.
    """
    message = Message(label=label, pk=pk, state=state, generation=generation)
    context = {f"{label.rpartition('.')[2]}_id": pk, "generation": generation, "job_id": message.job_id}
    with bound_contextvars(**context), tally.gathered():
        ended = _run(message)
        _top_up(message)
    return ended


def attend(name: str) -> str:
    """Attend to a duty; the RQ job. What hinders it for a while is made good by the next time.

    Raises:
        Exception: a bug in what it does.
    """
    due = duties.named(name)
    if due is None:  # it was sent before a change of the code
        return STALE
    with bound_contextvars(job_id=f"duty-{name}"), tally.gathered():
        try:
            with told_as_such():
                due.attend()
        except (Temporary, SoftTimeLimit, WorkerStopping) as error:
            logger.warning("job: the duty “%s” waits for its next time. %s", name, as_temporary(error))
            return WAITING
        except Error as error:
            if not (is_outage(error) or is_conflict(error)):
                raise
            logger.warning("job: the duty “%s” waits for its next time. %s", name, in_words(error))
            return WAITING
    return "attended"


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
            ended = _work_together(this, found, keeper) if found.together else _react_unless_locked(this, found)
    return ended


def _work_together(first: Run[StateMachine], found: Reaction, keeper: claims.ClaimKeeper) -> Any:
    """Work on the row and on others like it, and straight on with those whose outcome says so; what the row came to."""
    runs = sets.gather(first, found)
    keeper.hold = runs[0].hold
    done = sets.work(runs, found)
    while done.following:
        done.add(_go_on(done, keeper))
    if done.bugs:
        raise done.bugs[0]
    return done.ended[first.record.pk]


def _go_on(done: sets.Done, keeper: claims.ClaimKeeper) -> sets.Done:
    """Do the next state's work of some that came to it together; `done` keeps the others."""
    state = done.following[0].record.state
    runs = [run for run in done.following if run.record.state == state]
    hold = keeper.hold = runs[0].hold.with_all(run.message for run in done.following)
    done.following = [run for run in done.following if run.record.state != state]
    found = reaction_for(type(runs[0].record), state)
    runs = [replace(run, hold=hold) for run in runs]
    if found.together:
        begin_limits_anew(found.limits)
        return sets.work(runs, found)
    came = sets.Done()
    for run in runs:
        begin_limits_anew(found.limits)
        came.add(_alone(run, found))
    return came


def _alone(run: Run[StateMachine], found: Reaction) -> sets.Done:
    """Do the work of one that came from a set to a state whose work is done one by one."""
    try:
        ended = _react_unless_locked(run, found)
    except (Stale, ClaimLost):
        ended = _stale(run.message)
    except Exception as error:  # noqa: BLE001 - a bug; the others are done first, then it is raised
        return sets.Done(bugs=[error])
    if isinstance(ended, Run):
        return sets.Done(following=[ended])
    return sets.Done(ended={run.record.pk: ended})


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

    def attempt() -> Any:
        ended = _put_back(this, found, error)
        if ended == STALE:
            claims.give_back_try(this.record)
        return ended

    ended = outages.outlast(attempt)
    if ended is None:
        # The claim runs out. A reconciler that has seen the outage gives the try back, too.
        logger.warning("job: %s could not even be put back", this.message.job_id)
    return ended or WAITING


def _react(this: Run[StateMachine], found: Reaction) -> Any:
    """Do the work of one state and record what came of it; the next run if the worker goes straight on.

    What cannot be recorded, such as a failure whose text no database takes, is a bug like any other.
    """
    try:
        return _react_and_record(this, found)
    except Stale:
        raise
    except Exception as error:
        if is_conflict(error) or outages.outage_in(error):
            raise
        logger.exception("job: %s hit a bug", this.message.job_id)
        with suppress(Stale):  # the bug is told all the same
            _fail(this, Bug(evidence={"exception": type(error).__name__}))
        raise


def _react_and_record(this: Run[StateMachine], found: Reaction) -> Any:
    try:
        with told_as_such():
            ending: Ending = found.react(this)
            if isinstance(ending, GoOn):
                _keep(this, ending)
                return GOES_ON
            following = _commit(this, ending)
    except (Temporary, SoftTimeLimit, WorkerStopping) as error:
        return _put_back(this, found, error)
    except RunsheetError as error:
        return _fail(this, error)
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
        advance_through(record, list(steps_of(outcome, record)), actor)
    this.record = record
    if not outcome.then:
        return None
    hold = reaction_for(type(record), record.state).hold_of([claims.message_of(record)])
    return Run(record=record, job_id=this.job_id, carry=outcome.carry, hold=hold)


def _put_back(this: Run[StateMachine], found: Reaction, error: Temporary | SoftTimeLimit | WorkerStopping) -> Any:
    """Wait and try again, or give up when the budget is spent."""
    temporary = as_temporary(error)
    if temporary.costs_try and this.record.tries >= found.tries:
        return _fail(this, temporary, after=this.record.tries)
    delay_s = found.delay_s(tries=this.record.tries, error=temporary)
    written = claims.put_back(
        this.message,
        delay_s=delay_s,
        counted=temporary.costs_try,
        code=temporary.code,
        explanation=explanation_of(temporary),
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


def _fail(this: Run[StateMachine], error: RunsheetError, *, after: int = 1) -> str:
    """Give up, after so many tries."""
    with fenced(type(this.record), this.message) as record:
        advance(record, failing_step(error, after=after), Actor.worker(this.job_id))
        if gave_up := reaction_for(type(record), this.message.state).gave_up:
            gave_up(record, error)
    tally.count("tries_given_up", machine=this.message.label, state=this.message.state, code=error.code)
    logger.info("job: %s gave up after try %s (%s)", this.message.job_id, this.record.tries, error.code)
    return str(record.state)
