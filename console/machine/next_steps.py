"""What to do about a failure, as a button for who looks; what helps stands on the failure's class."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.urls import reverse

from console.machine.dashboard import job_url
from console.records.links import page_of
from console.shell import navigation
from core.base.errors import ASK, JOB, RECORD, SYSTEM, Remedy, failure_of
from statemachine.models import StateMachine, TransitionLog


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What helps.

    Attributes:
        label: of the button.
        url: where it leads; empty if the person may not go there.
        otherwise: what to do instead, where there is no button.
        also: another way that is open to the person, and comes second.
    """

    label: str
    url: str = ""
    otherwise: str = ""
    also: "NextStep | None" = None


def next_step(record: StateMachine, user: User) -> NextStep | None:
    """What helps a record that has failed; None where running it again is all there is to do.

    The first remedy stands first. Where it is not open to the person, it says what to do instead. If that is only to ask
    an administrator, the first remedy that is open takes its place. The next one that is open stands beside it.
    """
    return _first_open(record, user, witness=lambda: _seen_by(record))


def step_for_all(record: StateMachine, user: User) -> NextStep | None:
    """What helps all that have failed for the same reason as this one; None where it would help this one alone."""
    is_of_one = any(remedy.is_of_one for remedy in failure_of(record.failure_code).remedies)
    return None if is_of_one else _first_open(record, user, witness=str)


def step_of(remedy: Remedy, record: StateMachine, user: User, *, witness: Callable[[], str] = str) -> NextStep:
    """A remedy as this person can take it.

    Args:
        witness: finds out whose eyes see what the run does not; asked only where the remedy names them.
    """
    url = _url(remedy, record, user)
    return NextStep(
        label=remedy.label.format(record=record),
        url=url,
        otherwise="" if url else _otherwise(remedy, record, user, witness),
    )


def is_anothers(record: StateMachine, user: User) -> bool:
    """Whether only somebody else can mend it."""
    return bool(failure_of(record.failure_code).for_others) and record.initiated_by_id != user.pk


def told(record: StateMachine, user: User) -> str:
    """What went wrong, in the words that are true for who reads it."""
    if not is_anothers(record, user):
        return record.failure_message
    return failure_of(record.failure_code).for_others.format(whose=_whose(record))


def _first_open(record: StateMachine, user: User, *, witness: Callable[[], str]) -> NextStep | None:
    remedies = failure_of(record.failure_code).remedies
    if not remedies:
        return None
    first, *others = [step_of(remedy, record, user, witness=witness) for remedy in remedies]
    is_open = [step for step in others if step.url]
    if not first.url and is_open and remedies[0].otherwise == ASK:
        first, *is_open = is_open
    return replace(first, also=is_open[0] if is_open else None)


def _otherwise(remedy: Remedy, record: StateMachine, user: User, witness: Callable[[], str]) -> str:
    or_run = ", or run it for yourself" if user.has_perm(type(record).run_right) else ""
    name = witness() if "{who_sees}" in remedy.otherwise else ""
    who_sees = f"{name} run it, or somebody else" if name else "somebody run it"
    return remedy.otherwise.format(whose=_whose(record), or_run=or_run, who_sees=who_sees)


def _url(remedy: Remedy, record: StateMachine, user: User) -> str:
    """Where the remedy leads; empty if that is not open to the person."""
    if (remedy.is_theirs and record.initiated_by_id != user.pk) or not user.has_perms(remedy.rights):
        return ""
    if remedy.where == JOB:
        job_id = _job_of_failure(record)
        return (job_url(job_id, user=user) or "") if job_id else ""
    if remedy.where == SYSTEM:
        return navigation.parts_url()
    page = page_of(record)
    if remedy.where == RECORD:
        return f"{page}#{remedy.fragment}"
    query = {name: value.format(record=record, page=page) for name, value in remedy.query.items()}
    return reverse(remedy.where, query=query, fragment=remedy.fragment or None)


def _whose(record: StateMachine) -> str:
    return str(record.initiated_by or "the person who started it")


def _job_of_failure(record: StateMachine) -> str:
    """The job whose transition was the record's last."""
    last = TransitionLog.objects.of(record).of_moves().last()
    return last.job_id if last else ""


def _seen_by(record: StateMachine) -> str:
    """Who sees what the failed run did not; empty if that is not known."""
    last = TransitionLog.objects.of(record).of_moves().last()
    return str(last.evidence.get("seen_by", "")) if last else ""
