"""Many at once: rows that share a key are claimed, worked on and committed together, by statements for all of them.

Each has its own outcome, fence, generation and row of the log. A set that fails as a whole is worked on one by one, and
whoever is tried again is worked on alone, so that a bad row spoils its own work only. See
docs/decisions/0015-slices-and-sets.md.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from django.db import Error, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from core.base.database import in_words, insert, is_conflict, is_outage
from core.base.errors import RunsheetError, SoftTimeLimit, Temporary, WorkerStopping
from core.ops import tally
from statemachine import claims, outages, settling, slices
from statemachine.doorbell import again_in
from statemachine.endings import as_temporary, failing_step, put_back, steps_of
from statemachine.errors import Bug, RowLocked, TookTooLong, WorkerStopped
from statemachine.interruptions import told_as_such
from statemachine.line import startable
from statemachine.models import NEXT_TURN, StateMachine, TransitionLog
from statemachine.reactions import Ending, Endings, GoOn, Reaction, Run, reaction_for, started_states
from statemachine.transitions import RECONCILER, Actor, Step, locked_all, move, save_all, tell
from statemachine.worker import begin_limits_anew

logger = logging.getLogger(__name__)

STALE = "stale"
WAITING = "waiting"
# So few are written by a statement that is prepared: most sets have one row, which takes a step or two.
FEW = 2
# Whoever holds a row for longer than its lock's time-out is likely to hold it for some seconds more.
LOCKED_S = 5

type Said = Ending | RunsheetError
type Runs = list[Run[StateMachine]]


class Spoiled(Exception):
    """The start of one row has made the database take nothing more in this transaction: no other is claimed."""


@dataclass(slots=True, kw_only=True)
class Done:
    """What came of a set.

    Attributes:
        ended: by primary key, what a job about that row alone would have returned.
        following: the worker goes straight on with these.
        bugs: what was recorded as a bug, to be raised in the end.
    """

    ended: dict[int, Any] = field(default_factory=dict)
    following: Runs = field(default_factory=list)
    bugs: list[BaseException] = field(default_factory=list)

    def add(self, other: "Done") -> None:
        self.ended |= other.ended
        self.following += other.following
        self.bugs += other.bugs


# --- Claiming -------------------------------------------------------------------------------------------------------


def gather(first: Run[StateMachine], found: Reaction) -> Runs:
    """The row that a message was about, and others like it, all held by one job.

    Only what is tried for the first time is put together: who was in a set that killed its worker is alone afterwards.
    """
    others: list[StateMachine] = []
    if first.record.tries == 1:
        try:
            others = _claim_alike(first, found, size=_size_for(first, found))
        except Spoiled:
            logger.warning("job: %s is done without others", first.job_id)
        except Error as error:
            if not (is_outage(error) or is_conflict(error)):
                raise
            logger.warning("job: %s is done without others. %s", first.job_id, in_words(error))
    records = [first.record, *others]
    hold = found.hold_of([claims.message_of(record) for record in records])
    return [replace(first, record=record, hold=hold) for record in records]


def _size_for(first: Run[StateMachine], found: Reaction) -> int:
    """How many the set should have. Who cannot tell has a bug, which its work meets, too, where it is recorded."""
    assert found.together is not None
    try:
        return found.together.size_for(first.record)
    except Error:
        raise
    except Exception:
        logger.exception("job: %s cannot tell how many it wants", first.job_id)
        return 1


def _claim_alike(first: Run[StateMachine], found: Reaction, *, size: int) -> list[StateMachine]:
    """Those of its lane, in their turn; also those whose start is owed, which are started."""
    assert found.together is not None
    record, held = first.record, timedelta(seconds=found.limits.held_s)
    model, left = type(record), size - 1
    if not left:
        return []
    key = {name: getattr(record, name) for name in found.together.key} | {"background": record.background}
    waiting = Q(due_at__lte=Now()) | Q(rung_at__isnull=False)
    unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=Now())
    with transaction.atomic():
        rows = model._default_manager.filter(waiting, unclaimed, state=record.state, tries=0, **key)
        alike = _locked_in_turn(rows, left)
        # A new generation: the message that one of them may have in the queue is stale.
        until = {"claimed_until": Now() + held, "due_at": Now() + held, "rung_at": None}
        pks = [each.pk for each in alike]
        model._default_manager.filter(pk__in=pks).update(generation=F("generation") + 1, tries=1, **until)
        for each in alike:
            each.generation, each.tries = each.generation + 1, 1
        if record.state in started_states(model) and len(alike) < left:
            alike += _started(_locked_in_turn(startable(model).filter(**key), left - len(alike)), found)
    return alike


def _locked_in_turn(rows: QuerySet[StateMachine], at_most: int) -> list[StateMachine]:
    """What somebody holds is left to them."""
    locked = rows.select_for_update(of=("self",), skip_locked=True).select_related("initiated_by")
    return list(locked.annotate(database_now=Now()).order_by("turn", "pk")[:at_most])


def _started(rows: list[StateMachine], found: Reaction) -> list[StateMachine]:
    taken: list[TransitionLog] = []
    begun: list[StateMachine] = []
    for record in rows:
        record.note_as_read()
        try:
            taken.append(move(record, Step(transition=record.start_transition, claim=True), RECONCILER))
        except Exception as error:
            # One row's bug must not stand in the way of the others; the pump meets it again, and puts it off.
            logger.exception("job: %s %s could not be started with others", record._meta.label_lower, record.pk)
            if isinstance(error, Error):
                raise Spoiled from error
        else:
            begun.append(record)
    _write(found.model, begun, taken)
    return begun


# --- Working --------------------------------------------------------------------------------------------------------


def work(runs: Runs, found: Reaction) -> Done:
    """Do the work of all of them and record what came of it."""
    machine, state = runs[0].message.label, runs[0].message.state
    logger.info("job: %s begins with %s in all, try %s", runs[0].job_id, len(runs), runs[0].record.tries)
    tally.count("tries", len(runs), machine=machine, state=state)
    tally.count("sets", machine=machine, state=state)
    try:
        endings = _ask(runs, found)
    except (Exception, SoftTimeLimit, WorkerStopping) as error:  # noqa: BLE001 - told below
        said = _as_ending(error)
        if len(runs) > 1 and not _is_nobodys(said):
            logger.warning("job: %s failed as a whole (%s); each is done alone", runs[0].job_id, error)
            return _one_by_one(runs, found)
        return _settle(runs, Endings(each=[said] * len(runs)), found)
    return _settle(runs, endings, found)


def _ask(runs: Runs, found: Reaction) -> Endings:
    with told_as_such():
        endings: Endings = found.react(runs)
    if len(endings.each) != len(runs):
        raise AssertionError(f"{len(runs)} runs were given, but {len(endings.each)} endings returned")
    return endings


def _one_by_one(runs: Runs, found: Reaction) -> Done:
    done = Done()
    for number, run in enumerate(runs):
        begin_limits_anew(found.limits)
        try:
            said = _ask([run], found)
        except (Exception, SoftTimeLimit, WorkerStopping) as error:  # noqa: BLE001 - as above
            said = Endings(each=[_as_ending(error)])
        done.add(_settle([run], said, found))
        if isinstance(said.each[0], WorkerStopped):
            rest = runs[number + 1 :]
            done.add(_settle(rest, Endings(each=[said.each[0]] * len(rest)), found))
            break
    return done


def _is_nobodys(said: RunsheetError) -> bool:
    """Whether no row is to blame, or no time is left; then all are put back, and tried again."""
    return isinstance(said, TookTooLong) or (isinstance(said, Temporary) and not said.costs_try)


def _as_ending(error: BaseException) -> RunsheetError:
    """The error as what it means for the row; what is unforeseen is a bug, caused by it."""
    if isinstance(error, Temporary | SoftTimeLimit | WorkerStopping):
        return as_temporary(error)
    if is_conflict(error):
        locked = RowLocked()
        locked.retry_after_s = LOCKED_S
        return locked
    if outage := outages.outage_in(error):
        outage.retry_after_s = outages.pause_s()
        return outage
    if isinstance(error, RunsheetError):
        return error
    bug = Bug(evidence={"exception": type(error).__name__})
    bug.__cause__ = error
    return bug


# --- Committing -----------------------------------------------------------------------------------------------------


def _settle(runs: Runs, endings: Endings, found: Reaction) -> Done:
    """Record what came of each; if that fails for all at once, for each in a transaction of its own."""
    if not runs:
        return Done()
    try:
        done, unreached = _commit(runs, endings, found)
    except (Exception, SoftTimeLimit, WorkerStopping) as error:  # noqa: BLE001 - told in the next line, or below
        if len(runs) == 1:
            return _settle_spoiled(runs[0], error, found)
        logger.warning("job: %s could not be committed as a whole (%s); each is alone", runs[0].job_id, error)
        done, unreached = Done(), runs
    said = {run.record.pk: each for run, each in zip(runs, endings.each, strict=True)}
    for run in unreached:
        begin_limits_anew(found.limits)
        done.add(_settle([run], replace(endings, each=[said[run.record.pk]]), found))
    return done


def _settle_spoiled(run: Run[StateMachine], error: BaseException, found: Reaction) -> Done:
    """What was found out cannot be recorded: record that, for as long as the database may need."""
    endings = Endings(each=[_as_ending(error)])

    def attempt() -> Done:
        done, _ = _commit([run], endings, found)
        if done.ended[run.record.pk] == STALE:
            claims.give_back_try(run.record)
        return done

    logger.warning("job: %s cannot be done now (%s)", run.message.job_id, error)
    try:
        return outages.outlast(attempt) or Done(ended={run.record.pk: WAITING})
    except Exception as failure:  # noqa: BLE001 - raised once the others are done; the claim of this one runs out
        return Done(ended={run.record.pk: WAITING}, bugs=[failure])


def _commit(runs: Runs, endings: Endings, found: Reaction) -> tuple[Done, Runs]:
    """Record what came of the rows whose fence holds. Returned are also the runs whose rows somebody else holds now.

    If there is only one row, this waits until it is let go.
    """
    done, taken = Done(), []
    with told_as_such(), transaction.atomic():
        records = locked_all(found.model, [run.record.pk for run in runs], wait=len(runs) == 1)
        pairs = [
            (run, said, records[run.record.pk])
            for run, said in zip(runs, endings.each, strict=True)
            if run.record.pk in records and claims.is_unmoved(run.message, records[run.record.pk])
        ]
        kept = [record for _, said, record in pairs if not isinstance(said, RunsheetError)]
        if endings.record and kept:
            endings.record(kept)
        turns = _Turns()
        for run, said, record in pairs:
            taken += _apply(run, said, record, found, turns)
        _write(found.model, [record for _, _, record in pairs], taken)
        _tell_given_up(pairs, found)
    outages.over()
    for run, said, record in pairs:
        _note(run, said, record, found, done)
    _note_put_back(runs[0], pairs)
    reached = {run.record.pk for run, _, _ in pairs}
    unreached = [run for run in runs if run.record.pk not in records and len(runs) > 1]
    for run in runs:
        if run.record.pk not in reached and run not in unreached:
            logger.info("job: %s is stale", run.message.job_id)
            tally.count("stale_messages", machine=run.message.label)
            done.ended[run.record.pk] = STALE
    return done, unreached


class _Turns:
    """Where the next slices stand, of several rows of one lane; asked for once."""

    def __init__(self) -> None:
        self._next: Any = None

    def of(self, record: StateMachine) -> Any:
        if not record.background:
            return NEXT_TURN
        if self._next is None:
            self._next = count(slices.next_turn(record))
        return next(self._next)


def _apply(
    run: Run[StateMachine], said: Said, record: StateMachine, found: Reaction, turns: _Turns
) -> list[TransitionLog]:
    """Change the locked record as the ending says; its rows of the log."""
    actor = Actor.worker(run.job_id)
    if isinstance(said, GoOn):
        if said.record:
            said.record(record)
        slices.change(record, turn=turns.of(record))
        return []
    if not isinstance(said, RunsheetError):
        return [move(record, step, actor) for step in steps_of(said, record)]
    if isinstance(said, Temporary) and not (said.costs_try and record.tries >= found.tries):
        put_back(record, said, delay_s=found.delay_s(tries=record.tries, error=said))
        return []
    return [move(record, failing_step(said, after=record.tries if isinstance(said, Temporary) else 1), actor)]


def _tell_given_up(pairs: Sequence[tuple[Run[StateMachine], Said, StateMachine]], found: Reaction) -> None:
    """Once that is written, so that whoever mends what is given up finds it so."""
    for run, said, record in pairs:
        if found.gave_up and isinstance(said, RunsheetError) and record.state != run.message.state:
            found.gave_up(record, said)


def _write(model: type[StateMachine], records: Sequence[StateMachine], taken: list[TransitionLog]) -> None:
    save_all(model, records)
    by_key = {record.pk: record for record in records}
    if len(taken) > FEW:
        TransitionLog.objects.bulk_create(taken)
    elif taken:
        insert(taken)
    for row in taken:
        tell(by_key[row.record_id], row)
    transaction.on_commit(partial(settling.note_each, taken), robust=True)


def _note_put_back(first: Run[StateMachine], pairs: Sequence[tuple[Run[StateMachine], Said, StateMachine]]) -> None:
    """One line for all of a set that are tried again for the same reason."""
    reasons = Counter(
        said.code
        for run, said, record in pairs
        if isinstance(said, RunsheetError) and record.state == run.message.state
    )
    for code, number in reasons.items():
        logger.info("job: %s puts back %s of %s (%s)", first.job_id, number, len(pairs), code)


def _note(run: Run[StateMachine], said: Said, record: StateMachine, found: Reaction, done: Done) -> None:
    """Tell what has been committed about one of them."""
    machine, state, pk = run.message.label, run.message.state, run.record.pk
    done.ended[pk] = record.state
    if isinstance(said, GoOn):
        tally.count("slices", machine=machine, state=state)
    elif isinstance(said, RunsheetError) and record.state == state:
        tally.count("tries_put_back", machine=machine, state=state, code=said.code)
        is_rqs = isinstance(said, Temporary) and said.costs_try and not record.background
        delay_s = (record.due_at - record.database_now).total_seconds()  # type: ignore[attr-defined]  # annotated by `locked_all`
        done.ended[pk] = again_in(delay_s) if is_rqs else WAITING
    elif isinstance(said, RunsheetError):
        tally.count("tries_given_up", machine=machine, state=state, code=said.code)
    elif said.then:
        hold = reaction_for(found.model, record.state).hold_of([claims.message_of(record)])
        done.following.append(Run(record=record, job_id=run.job_id, carry=said.carry, hold=hold))
    if isinstance(said, Bug) and said.__cause__:
        logger.error("job: %s hit a bug", run.message.job_id, exc_info=said.__cause__)
        done.bugs.append(said.__cause__)
