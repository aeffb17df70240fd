"""What a person can do with a lease, by a button of its page or by a program."""

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.machine.buttons import Button, Question
from leases import making, runs
from leases.models import Lease
from leases.states import DETECTABLE, State


def _no_directory(lease: Lease) -> str:
    if lease.state in DETECTABLE or lease.runsheet_directory_id is None:
        return "No archive directory is known for this lease. Search for it first."
    return f"Not possible while the lease is “{lease.state_label}”. Search for the directory first."


def _asked_before_making(lease: Lease) -> Question:
    """What is made where, and what lies right beside."""
    beside = making.around(lease)
    folders = making.subfolders_in_words(lease.agency)
    words = f"In your Dropbox “{beside.path or lease.lease_number}” is made, with {folders}. "
    if beside.names is None:
        return Question(words=f"{words}{_nobody_looked(beside.unknown)} Make it all the same?")
    if not beside.names:
        return Question(words=f"{words}No archive of a near name lies beside it.")
    names = ", ".join(f"“{name}”" for name in beside.names)
    lies = "lies" if len(beside.names) == 1 else "lie"
    return Question(
        words=f"{names} {lies} right beside: see whether that is the one that is meant. {words}Make it all the same?"
    )


def _nobody_looked(why: str) -> str:
    reason = f" ({why.removeprefix('nobody looked: ')})" if why else ""
    return f"Nobody could see whether an archive of a near name lies beside it{reason}."


def _no_making(lease: Lease) -> str:
    if lease.state in DETECTABLE and lease.runsheet_directory_id is not None:
        return "It has an archive already."
    return "Search for it first: only what was not found is made."


def _no_writing(_lease: Lease, user: User) -> SafeString | str:
    if not making.only_reads(user):
        return ""
    return format_html(
        'Your Dropbox connection may only read. <a href="{}">Connect Dropbox anew</a> and allow writing.',
        reverse("dropbox_account"),
    )


DISCOVER = Button(name="discover", label="Run full discovery", step=runs.FULL_DISCOVERY, key="r")
SEARCH = Button(name="search", label="Search directory", step=runs.SEARCH)
DETECT = Button(
    name="detect",
    label="Detect previous report",
    step=runs.DETECTION,
    first_in={State.FOUND},
    missing=_no_directory,
)
MAKE = Button(
    name="make",
    label="Make the archive",
    step=runs.MAKE_ARCHIVE,
    service=making.make_archive,
    question=_asked_before_making,
    missing=_no_making,
    hindered=_no_writing,
)
STOP = Button(
    name="stop",
    label="Stop",
    step=runs.STOP,
    ends=True,
    asks="What has been found so far stays. Nothing more is done until somebody starts it again.",
)
BUTTONS = (DISCOVER, SEARCH, DETECT, MAKE, STOP)
