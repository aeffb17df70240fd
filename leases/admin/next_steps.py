"""What to do about a failure, as a button: one table, by failure code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.http import urlencode

from leases.admin.history import job_of_failure, seen_by
from leases.models import Lease
from leases.notices import MENDED_AT_ONCE
from statemachine.dashboard import job_url

ASK = "Ask an administrator to do that."


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


type Step = Callable[[Lease, User], NextStep]


def _connect(lease: Lease, user: User) -> NextStep:
    """Only the person whose run it was can connect the Dropbox that it uses."""
    if is_anothers(lease, user):
        or_else = ", or run it for yourself" if user.has_perm("leases.run_discovery") else ""
        return NextStep(label="Connect Dropbox", otherwise=f"Ask {_whose(lease)} to connect Dropbox{or_else}.")
    url = f"{reverse('dropbox_account')}?{urlencode({'next': page_of(lease)})}"
    return NextStep(label="Connect Dropbox", url=url)


def _configure(lease: Lease, user: User) -> NextStep:
    """The address of a new configuration leads to the one that there is."""
    label = f"Configure {lease.agency}"
    if not user.has_perms(("leases.add_agencystorageconfig", "leases.change_agencystorageconfig")):
        return NextStep(label=label, otherwise=ASK)
    return NextStep(label=label, url=f"{reverse('admin:leases_agencystorageconfig_add')}?agency={lease.agency}")


def _configure_or_connect(lease: Lease, user: User) -> NextStep:
    """The folder may be missing in the configuration's words, or in this one Dropbox, as it is where others see it."""
    if seen_by(lease):
        return _connect_who_sees(lease, user)
    found = _configure(lease, user)
    if found.url or lease.initiated_by_id != user.pk:
        return found
    url = f"{reverse('dropbox_account')}?{urlencode({'next': page_of(lease)})}"
    return NextStep(label="Connect another Dropbox account", url=url)


def _correct_number(lease: Lease, user: User) -> NextStep:
    if not user.has_perm("leases.change_lease"):
        return NextStep(label="Correct the lease number", otherwise=ASK)
    return NextStep(label="Correct the lease number", url=f"{page_of(lease)}#id_lease_number")


def _look_at_job(lease: Lease, user: User) -> NextStep:
    job_id = job_of_failure(lease)
    if not job_id or not (url := job_url(job_id, user=user)):
        return NextStep(label="Look at its job", otherwise="Report it; then run it again.")
    return NextStep(label="Look at its job", url=url)


def _set_up(_lease: Lease, user: User) -> NextStep:
    label = "See what the system lacks"
    url = reverse("system") if user.has_perm("statemachine.use_queues") else ""
    return NextStep(label=label, url=url, otherwise="" if url else ASK)


def _connect_who_sees(lease: Lease, user: User) -> NextStep:
    """Another account sees it, or another person's."""
    witness = seen_by(lease)
    who = f"{witness} run it, or somebody else" if witness else "somebody run it"
    or_else = f"Let {who} whose Dropbox sees the archive."
    if lease.initiated_by_id != user.pk:
        return NextStep(label="Connect another Dropbox account", otherwise=or_else)
    url = f"{reverse('dropbox_account')}?{urlencode({'next': page_of(lease)})}"
    return NextStep(label="Connect another Dropbox account", url=url)


STEPS: Mapping[str, Step] = {
    "another_folder": _connect_who_sees,
    "app_disabled": _set_up,
    "app_folder_only": _set_up,
    "app_full": _set_up,
    "app_key_missing": _set_up,
    "app_refused": _set_up,
    "archive_out_of_sight": _connect_who_sees,
    "base_path_missing": _configure_or_connect,
    "bug": _look_at_job,
    "configuration_disabled": _configure,
    "configuration_missing": _configure,
    "connect_dropbox": _connect,
    "tokens_unreadable": _connect,
    "unsafe_path": _correct_number,
}

# What helps one lease says nothing about the others that have failed for the same reason.
OF_ONE_LEASE = ("bug", "unsafe_path")


def next_step(lease: Lease, user: User) -> NextStep | None:
    """What helps a lease that has failed; None where running it again is all there is to do."""
    step = STEPS.get(lease.failure_code)
    return step(lease, user) if step else None


def correction(lease: Lease, user: User) -> NextStep:
    """What to look at where Dropbox has no directory, and the way to it."""
    way = _correct_number(lease, user)
    words = f"Check the number, or the folder in the configuration of {lease.agency}."
    return NextStep(label=way.label, url=way.url, otherwise=words)


def is_anothers(lease: Lease, user: User) -> bool:
    """Whether it lacks the Dropbox of somebody else, so that who reads it cannot connect it."""
    return lease.failure_code in MENDED_AT_ONCE and lease.initiated_by_id != user.pk


def told(lease: Lease, user: User) -> str:
    """What went wrong, in the words that are true for who reads it."""
    if not is_anothers(lease, user):
        return lease.failure_message
    return (
        f"The run uses the Dropbox of {_whose(lease)}, which is not connected or cannot be used. It goes on by itself "
        "when that is connected again."
    )


def _whose(lease: Lease) -> str:
    return str(lease.initiated_by or "the person who started it")


def page_of(lease: Lease) -> str:
    return reverse("admin:leases_lease_change", args=[lease.pk])
