"""What to do about a failure, as a button for who looks; what helps stands on the failure's class."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.urls import reverse

from console.machine.dashboard import job_url
from core.base.errors import JOB, RECORD, Remedy, failure_of
from leases.admin.history import job_of_failure, seen_by
from leases.errors import CORRECT_NUMBER
from leases.models import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What helps.

    Attributes:
        label: of the button.
        url: where it leads; empty if the person may not go there.
        otherwise: what to do instead, where there is no button.
    """

    label: str
    url: str = ""
    otherwise: str = ""


def next_step(lease: Lease, user: User) -> NextStep | None:
    """What helps a lease that has failed; None where running it again is all there is to do.

    It is the first remedy that is open to the person, or what else to do instead of the very first.
    """
    return _first_open(lease, user, witness=lambda: seen_by(lease))


def step_for_all(lease: Lease, user: User) -> NextStep | None:
    """What helps all that have failed for the same reason as this one; None where it would help this one alone."""
    is_of_one = any(remedy.is_of_one for remedy in failure_of(lease.failure_code).remedies)
    return None if is_of_one else _first_open(lease, user, witness=str)


def correction(lease: Lease, user: User) -> NextStep:
    """What to look at where Dropbox has no directory, and the way to it."""
    words = f"Check the number, or the folder in the configuration of {lease.agency}."
    return replace(_step(CORRECT_NUMBER, lease, user), otherwise=words)


def is_anothers(lease: Lease, user: User) -> bool:
    """Whether only somebody else can mend it."""
    return bool(failure_of(lease.failure_code).for_others) and lease.initiated_by_id != user.pk


def told(lease: Lease, user: User) -> str:
    """What went wrong, in the words that are true for who reads it."""
    if not is_anothers(lease, user):
        return lease.failure_message
    return failure_of(lease.failure_code).for_others.format(whose=_whose(lease))


def page_of(lease: Lease) -> str:
    return reverse("admin:leases_lease_change", args=[lease.pk])


def _first_open(lease: Lease, user: User, *, witness: Callable[[], str]) -> NextStep | None:
    steps = [_step(remedy, lease, user, witness=witness) for remedy in failure_of(lease.failure_code).remedies]
    return next((step for step in steps if step.url), steps[0] if steps else None)


def _step(remedy: Remedy, lease: Lease, user: User, *, witness: Callable[[], str] = str) -> NextStep:
    url = _url(remedy, lease, user)
    return NextStep(
        label=remedy.label.format(record=lease),
        url=url,
        otherwise="" if url else _otherwise(remedy, lease, user, witness),
    )


def _otherwise(remedy: Remedy, lease: Lease, user: User, witness: Callable[[], str]) -> str:
    or_run = ", or run it for yourself" if user.has_perm("leases.run_discovery") else ""
    name = witness() if "{who_sees}" in remedy.otherwise else ""
    who_sees = f"{name} run it, or somebody else" if name else "somebody run it"
    return remedy.otherwise.format(whose=_whose(lease), or_run=or_run, who_sees=who_sees)


def _url(remedy: Remedy, lease: Lease, user: User) -> str:
    """Where the remedy leads; empty if that is not open to the person."""
    if (remedy.is_theirs and lease.initiated_by_id != user.pk) or not user.has_perms(remedy.rights):
        return ""
    if remedy.where == JOB:
        job_id = job_of_failure(lease)
        return (job_url(job_id, user=user) or "") if job_id else ""
    page = page_of(lease)
    if remedy.where == RECORD:
        return f"{page}#{remedy.fragment}"
    query = {name: value.format(record=lease, page=page) for name, value in remedy.query.items()}
    return reverse(remedy.where, query=query, fragment=remedy.fragment or None)


def _whose(lease: Lease) -> str:
    return str(lease.initiated_by or "the person who started it")
