"""Which work a state owes: reactions are registered, not called.

An app's module `reactions` says "when a record is in this state, run that"; the engine finds it by itself.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, overload

from django.conf import settings

from core.base.job_ids import JobId, job_label
from statemachine import claims
from statemachine.models import StateMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.base.errors import RunsheetError, Temporary
    from statemachine.doorbell import Message


# After so many tries each wait is as long as it may be; two to the power of a thousand is no number.
DOUBLED_AT_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off with jitter.

    With base 2 s and cap 120 s the waits after try 1, 2, 3, 4 are about 2, 4, 8, 16 s, each times 0.5 to 1.5.

    Attributes:
        tries: the budget; after that many the record fails.
    """

    tries: int
    base_s: float
    cap_s: float

    def delay_s(self, *, tries: int, retry_after_s: float | None = None) -> float:
        """How long to wait after so many tries; never shorter than the other side asked for."""
        doubled = min(max(tries - 1, 0), DOUBLED_AT_MOST)
        wait_s = min(self.cap_s, self.base_s * 2.0**doubled) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        return max(wait_s, retry_after_s or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long the work of a state may take, and how long a worker that says nothing holds its row.

    Attributes:
        soft_s: then the work is interrupted by an exception, and tried again.
        hard_s: then its process is ended, whatever it hangs in; its row is taken up again when the claim has run out.
        claim_s: a worker holds the row for so long and renews that in time; None: as `settings.CLAIM_S` says.
    """

    soft_s: int = 60
    hard_s: int = 90
    claim_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.soft_s < self.hard_s:
            raise AssertionError(f"the soft limit ({self.soft_s} s) must come before the hard one ({self.hard_s} s)")

    @property
    def held_s(self) -> float:
        return settings.CLAIM_S if self.claim_s is None else self.claim_s

    @property
    def renewed_every_s(self) -> float:
        """The same part of the claim for everybody."""
        return float(settings.CLAIM_RENEWAL_S * self.held_s / settings.CLAIM_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a reaction found out, and the transition it leads to.

    Attributes:
        transition: taken through the one door while the claim still holds.
        record: called with the locked record inside that transaction, to write what belongs together with it; returns
            the transition's arguments.
        evidence: for the log.
        then: a further transition into a working state, taken in the same transaction; the worker goes straight on.
        then_reason: why that one is taken, for the log.
        carry: handed to the reaction of that state.
    """

    transition: str
    record: Callable[[Any], dict[str, Any]] | None = None
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    then: str | None = None
    then_reason: str = ""
    carry: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """This slice is done and the state's work is not: what it has reached is kept, and the next slice is owed at once.

    The state stays, the tries begin anew, and the log gets no row. Other rows have their turn before the next slice.

    Attributes:
        record: called with the locked record in that transaction, while the claim still holds, to write what was reached.
    """

    record: Callable[[Any], None] | None = None


# What a reaction ends with.
type Ending = Outcome | GoOn


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Rows of one state that one job claims, works on and commits together.

    Attributes:
        at_most: so many.
        key: the columns in which they are alike, such as `("initiated_by_id", "agency")`.
        wanted: how many the set of a record should have, with that record itself; asked before others are claimed, so that
            work which gains nothing from company is done alone, by as many workers as there are. Default: `at_most`.
    """

    at_most: int
    key: tuple[str, ...]
    wanted: Callable[[Any], int] | None = None

    def size_for(self, record: StateMachine) -> int:
        """How many are to be worked on together, at most, with this record among them."""
        return self.at_most if self.wanted is None else max(1, min(self.at_most, self.wanted(record)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """What a reaction found out about rows that it was given together.

    Attributes:
        each: of each run, in their order: what it ends with, or the error with which it is tried again or fails.
        record: called once in the transaction in which they are committed, with those locked records whose claim still
            holds and whose ending is no error, before the `record` of each: for what few statements can write for all. Where
            there is none, it is not called.
    """

    each: Sequence[Ending | RunsheetError]
    record: Callable[[list[Any]], None] | None = None


@dataclass(slots=True, kw_only=True)
class Run[M: StateMachine]:
    """One try at the work that a record owes.

    Attributes:
        record: as it was when claimed.
        carry: what the preceding state's reaction handed over in the same job, else None.
        hold: what the job holds: this row, and those that it works on together with it.
    """

    record: M
    job_id: str
    carry: Any = None
    hold: claims.Hold = None  # type: ignore[assignment]  # set below
    began_at: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        if self.hold is None:
            self.hold = claims.Hold(messages=[self.message])

    @property
    def message(self) -> Message:
        """The fence: label, key, state and generation that this run was claimed for."""
        return claims.message_of(self.record)

    @property
    def is_time_up(self) -> bool:
        """Whether a slice should end now: half of the soft limit is over, so that what is under way can end in order."""
        return monotonic() - self.began_at >= reaction_for(type(self.record), self.record.state).limits.soft_s / 2

    def keep_claim(self) -> None:
        """Hold the row a little longer; to be called before every slow step.

        Raises:
            ClaimLost: nothing that the job works on belongs to it any more.
        """
        self.hold.keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """The work of one state, its retry rules, its queue and its limits.

    Attributes:
        react: given a `Run`, it returns an `Ending`; with `together`, given several, `Endings`.
        gave_up: called in the transaction in which the work is given up, when that is written.
    """

    model: type[StateMachine]
    state: str
    react: Callable[[Any], Any]
    retry: Callable[[], Backoff]
    queue: str
    limits: Limits = field(default_factory=Limits)
    together: Together | None = None
    gave_up: Callable[[Any, RunsheetError], None] | None = None

    def delay_s(self, *, tries: int, error: Temporary) -> float:
        """How long to wait after so many tries. What costs no try is not the work's fault: it waits no longer than asked."""
        if not error.costs_try:
            return error.retry_after_s or 0.0
        return self.retry().delay_s(tries=tries, retry_after_s=error.retry_after_s)

    @property
    def tries(self) -> int:
        return self.retry().tries

    def hold_of(self, messages: list[Message]) -> claims.Hold:
        """What a job of this work holds."""
        return claims.Hold(messages=messages, held_s=self.limits.held_s, renewed_every_s=self.limits.renewed_every_s)


# What a state's work is, without and with others like it.
type React = Callable[[Run[Any]], Ending]
type ReactTogether = Callable[[list[Run[Any]]], Endings]

_registry: dict[tuple[type[StateMachine], str], Reaction] = {}


@overload
def reaction(
    model: type[StateMachine],
    state: str,
    *,
    retry: Callable[[], Backoff],
    queue: str | None = None,
    limits: Limits | None = None,
    together: None = None,
    gave_up: Callable[[Any, RunsheetError], None] | None = None,
) -> Callable[[React], React]: ...
@overload
def reaction(
    model: type[StateMachine],
    state: str,
    *,
    retry: Callable[[], Backoff],
    queue: str | None = None,
    limits: Limits | None = None,
    together: Together,
    gave_up: Callable[[Any, RunsheetError], None] | None = None,
) -> Callable[[ReactTogether], ReactTogether]: ...
def reaction(
    model: type[StateMachine],
    state: str,
    *,
    retry: Callable[[], Backoff],
    queue: str | None = None,
    limits: Limits | None = None,
    together: Together | None = None,
    gave_up: Callable[[Any, RunsheetError], None] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the work of a state; to be used in an app's `reactions.py`.

    Args:
        model: the machine.
        state: one of its working states.
        retry: called when needed, so that settings may change.
        queue: the RQ queue, one of `settings.RQ_QUEUES`; each has a pool of workers of its own. Default:
            `settings.DEFAULT_QUEUE`.
        limits: how long it may take; default: `Limits()`.
        together: the reaction is given several runs at once, and returns `Endings`.
        gave_up: called with the record and the error in the transaction in which a worker gives up, when that is written.
    """

    def register(react: Callable[..., Any]) -> Callable[..., Any]:
        if (model, state) in _registry:
            raise AssertionError(f"{model._meta.label} already has a reaction for {state}")
        _registry[model, str(state)] = Reaction(
            model=model,
            state=str(state),
            react=react,
            retry=retry,
            queue=queue or settings.DEFAULT_QUEUE,
            limits=limits or Limits(),
            together=together,
            gave_up=gave_up,
        )
        return react

    return register


def reaction_for(model: type[StateMachine], state: str) -> Reaction:
    return _registry[model, state]


def reaction_of_job(job_id: str) -> Reaction | None:
    """The reaction that a job is to call; None if the id is of no job of the engine's, or of one that it no longer knows."""
    said = JobId.read(job_id)
    of = ((job_label(found.model._meta.label_lower), found.state, found) for found in _registry.values())
    return next((found for label, state, found in of if said and (said.label, said.state) == (label, state)), None)


def reactions_of(model: type[StateMachine]) -> list[Reaction]:
    return [found for (registered, _), found in _registry.items() if registered is model]


def start_of(model: type[StateMachine]) -> Reaction:
    """The reaction of the state that the machine's start leads to; `statemachine.checks` sees to it that there is one."""
    (state,) = started_states(model)
    return _registry[model, state]


def started_states(model: type[StateMachine]) -> set[str]:
    """Where the machine's start leads to."""
    meta = getattr(model, model.start_transition)._django_fsm
    return {str(found.target) for found in meta.transitions.values()}


def queue_of(model: type[StateMachine], state: str) -> str:
    """The queue of the work that a record in this state is owed; in a state that owes none, of what its start leads to."""
    return (_registry.get((model, state)) or start_of(model)).queue


def machines() -> list[type[StateMachine]]:
    """Every model that has a reaction."""
    return list({model: None for model, _ in _registry})


def queues() -> list[str]:
    """Every queue that some reaction names; each needs a pool of workers."""
    return sorted({found.queue for found in _registry.values()})
