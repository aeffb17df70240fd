"""The transitions of a lease, in words, and the RQ jobs that took them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User

from console.machine.dashboard import job_url, kept_jobs, may_use_queues
from leases.models import Lease
from leases.services import CREATED
from statemachine.claims import message_of
from statemachine.errors import Bug
from statemachine.evidence import bounded
from statemachine.models import STOPPED_LABEL, ActorKind, TransitionLog

# What a transition did, as one tells it of somebody; what is not here is told by its name.
DID: Mapping[str, str] = {
    "start_search": "started the search",
    "start_detection": "started to look for the report",
    "record_found": "found the directory",
    "record_not_found": "found no directory",
    "record_detection": "looked for the report",
    "fail": "could not go on",
    "cancel": "stopped it",
}
WHO: Mapping[str, str] = {
    ActorKind.USER: "Somebody who is no longer here",
    ActorKind.WORKER: "A worker",
    ActorKind.RECONCILER: "The reconciler",
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
    """One transition.

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


def history_of(lease: Lease, *, limit: int, user: User) -> list[Entry]:
    """The newest transitions first, as one person may see them."""
    rows = list(TransitionLog.objects.of(lease).select_related("actor").reverse()[:limit])
    kept = kept_jobs({row.job_id for row in rows if row.job_id}) if may_use_queues(user) else set()
    return [_entry(row, lease, job_url=job_url(row.job_id, user=user) if row.job_id in kept else "") for row in rows]


def _entry(row: TransitionLog, lease: Lease, *, job_url: str) -> Entry:
    return Entry(
        log=row,
        did=DID.get(row.transition, row.transition.replace("_", " ")),
        from_state=Lease.label_of(row.from_state),
        to_state=STOPPED_LABEL if row.transition == "cancel" else Lease.label_of(row.to_state),
        by=str(row.actor or WHO[row.actor_kind]),
        behalf=str(lease.created_by or "") if row.actor is None and row.reason == CREATED else "",
        lasted=duration_text(row.lasted) if row.lasted >= NOTICED else "",
        job_url=job_url,
        evidence=json.dumps(bounded(row.evidence), indent=2, ensure_ascii=False) if row.evidence else "",
    )


def job_at_work(lease: Lease, *, last: Entry | None, user: User) -> Job | None:
    """The RQ job that is at a lease, or that ended with a bug and is kept for a day; None if there is none.

    Args:
        last: the lease's newest transition.
        user: who looks.
    """
    if lease.is_working:
        job_id = _job_id(lease, last)
    elif lease.failure_code == Bug.code and last:
        job_id = last.log.job_id
    else:
        return None
    return Job(id=job_id, url=job_url(job_id, user=user)) if job_id else None


def job_of_failure(lease: Lease) -> str:
    """The job whose transition was the lease's last."""
    last = TransitionLog.objects.of(lease).last()
    return last.job_id if last else ""


def seen_by(lease: Lease) -> str:
    """Whose Dropbox saw what the one of the failed run does not; empty if that is not known."""
    last = TransitionLog.objects.of(lease).last()
    return str(last.evidence.get("seen_by", "")) if last else ""


def _job_id(lease: Lease, last: Entry | None) -> str:
    """A worker that went straight on is still in the job that took the last transition."""
    if last and last.log.job_id and last.log.generation == lease.generation:
        return last.log.job_id
    if not (lease.rung_at or lease.claimed_until or lease.tries):
        return ""
    return message_of(lease).job_id


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
