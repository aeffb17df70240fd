"""The transitions of a record, in words, and the RQ jobs that took them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User

from console.machine.dashboard import job_url, kept_jobs, may_use_queues
from statemachine.claims import message_of
from statemachine.errors import Bug
from statemachine.evidence import bounded
from statemachine.models import STOPPED_LABEL, ActorKind, StateMachine, TransitionLog

# What a transition did, as one tells it of somebody, where the machine has no words of its own for it.
DID: Mapping[str, str] = {"fail": "could not go on", "cancel": "stopped it"}
WHO: Mapping[str, str] = {
    ActorKind.USER: "Somebody who is no longer here",
    ActorKind.WORKER: "A worker",
    ActorKind.RECONCILER: "The reconciler",
    ActorKind.TERMINAL: "Somebody at a terminal",
}

NOTICED = timedelta(seconds=1)
SECOND_MS = 1000
MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An RQ job; without an address for who may not look at it."""

    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transition, or one edit.

    Attributes:
        by: a person's name, or what kind of process it was.
        did: what the transition did, as one tells it of `by`.
        lasted: how long the state that was left had lasted; empty if nobody would have noticed.
        behalf: for whom it was done, if that was somebody else.
        job_url: the page of the job that did it, while RQ keeps the job; else empty.
        evidence: what was asked and answered, as JSON, indented; empty when there is none.
    """

    log: TransitionLog
    did: str
    from_state: str
    to_state: str
    by: str
    behalf: str
    lasted: str
    job_url: str
    evidence: str


def history_of(
    record: StateMachine,
    *,
    limit: int,
    user: User,
    did: Mapping[str, str],
    behalf: Callable[[TransitionLog], str],
) -> list[Entry]:
    """The newest transitions first, as one person may see them.

    Args:
        did: what each of the machine's transitions did, as one tells it of somebody.
        behalf: for whom a transition was taken that nobody took by hand; empty: that need not be told.
    """
    rows = list(TransitionLog.objects.of(record).select_related("actor").reverse()[:limit])
    kept = kept_jobs({row.job_id for row in rows if row.job_id}) if may_use_queues(user) else set()
    return [
        _entry(
            row,
            record,
            did={**DID, **did}.get(row.transition, row.transition.replace("_", " ")),
            behalf="" if row.actor else behalf(row),
            job_url=job_url(row.job_id, user=user) if row.job_id in kept else "",
        )
        for row in rows
    ]


def _entry(row: TransitionLog, record: StateMachine, *, did: str, behalf: str, job_url: str) -> Entry:
    is_stop = row.is_move and row.to_state == record.initial_state()
    return Entry(
        log=row,
        did=did,
        from_state=record.label_of(row.from_state),
        to_state=STOPPED_LABEL if is_stop else record.label_of(row.to_state),
        by=str(row.actor or WHO[row.actor_kind]),
        behalf=behalf,
        lasted=duration_text(row.lasted) if row.lasted >= NOTICED else "",
        job_url=job_url,
        evidence=json.dumps(bounded(row.evidence), indent=2, ensure_ascii=False) if row.evidence else "",
    )


def job_at_work(record: StateMachine, *, last: Entry | None, user: User) -> Job | None:
    """The RQ job that is at a record, or that ended with a bug and is kept for a day; None if there is none.

    Args:
        last: the record's newest transition that has led to another state.
        user: who looks.
    """
    if record.is_working:
        job_id = _job_id(record, last)
    elif record.failure_code == Bug.code and last:
        job_id = last.log.job_id
    else:
        return None
    return Job(id=job_id, url=job_url(job_id, user=user)) if job_id else None


def _job_id(record: StateMachine, last: Entry | None) -> str:
    """A worker that went straight on is still in the job that took the last transition."""
    if last and last.log.job_id and last.log.generation == record.generation:
        return last.log.job_id
    if not (record.rung_at or record.claimed_until or record.tries):
        return ""
    return message_of(record).job_id


def duration_text(duration: timedelta) -> str:
    """A duration as a person would say it, in its two largest units."""
    milliseconds = round(duration / timedelta(milliseconds=1))
    seconds = round(milliseconds / SECOND_MS, 1)
    if milliseconds < SECOND_MS:
        return f"{milliseconds} ms"
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    if whole < DAY_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{whole // DAY_S} d {whole % DAY_S // HOUR_S} h"
