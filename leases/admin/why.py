"""What the evidence of a lease's transitions is called, and what to look at where Dropbox has no directory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from console.machine import reasons
from console.machine.next_steps import NextStep, step_of
from leases.errors import CORRECT_NUMBER
from leases.models import Lease
from leases.queries import PASSED_OVER_COUNT

LABELS: Mapping[str, str] = {
    "path": "Path asked for",
    "account": "Dropbox account",
    "path_root": "Path root",
    "known_account": "Still known from the account",
    "known_root": "That account's path root",
    "route": "Dropbox was asked",
    "answer": "Answer",
    "read_at": "Read at",
    "cursor": "Mark of Dropbox's record",
    "files": "Files directly in the directory",
    "status": "HTTP status",
    "error": "Dropbox said",
    "text": "In Dropbox's words",
    "cause": "Cause",
    "entries": "Entries in the directory",
    "pattern": "Rule for a previous report",
    "matching": "Names that match",
    "passed_over": "Passed over, as remains of programs",
    PASSED_OVER_COUNT: "Passed over in all",
    "nearest": "Nearest archives",
    "nearest_reports": "Reports in them",
    "nearest_unknown": "Near names",
    "made": "Made in Dropbox",
    "made_for": "Made for",
    "not_made": "Not made, because",
    "making": "Dropbox's answer to making it",
    "link": "Share link",
    "base_path": "Base path",
    "namespace": "Shared folder",
    "folder_id": "Dropbox's id of the directory",
    "scope": "Permission that is missing",
    "exception": "Exception",
    "request_id": "Dropbox's request",
    "request_ids": "Dropbox's requests",
}
# The answer that was given without asking Dropbox.
FROM_INDEX = "index"
TOLD_BY_INDEX = "from the index: what is known of the folder of archives, without asking Dropbox again"
# What each transition did, as one tells it of somebody.
DID: Mapping[str, str] = {
    "start_search": "started the search",
    "make_archive": "wanted the archive made",
    "start_detection": "started to look for the report",
    "record_found": "found the directory",
    "record_not_found": "found no directory",
    "record_detection": "looked for the report",
    "fail": "could not go on",
    "cancel": "stopped it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A Dropbox account as the person knows it whose it is.

    Attributes:
        home: the number of the folder that is theirs alone.
    """

    name: str
    email: str
    home: str


def account_of(evidence: Mapping[str, Any]) -> Account | None:
    """Whose Dropbox was asked; None if it is not connected any more."""
    # By names, since whatever knows Dropbox is built on top of the records.
    names = [f"dropbox_account__{field}" for field in ("display_name", "email", "home_namespace_id")]
    holders = User.objects.filter(dropbox_account__account_id=evidence.get("account", "")).order_by("pk")
    found = holders.values_list(*names).first()
    return Account(name=found[0], email=found[1], home=found[2]) if found else None


# Of these the value alone tells how it is read; one that is empty is read as any other.
READS: Mapping[str, Callable[[Any], str]] = {
    "nearest_reports": lambda value: ", ".join(
        f"“{each}”: {'yes' if there else 'no'}" for each, there in sorted(value.items())
    ),
    "pattern": lambda value: f"{value} (a regular expression, the setting RUNSHEET_PREVIOUS_REPORT_PATTERN)",
    "answer": lambda value: TOLD_BY_INDEX if value == FROM_INDEX else reasons.text_of("answer", value),
    "read_at": lambda value: f"{timezone.localtime(datetime.fromisoformat(value)):%Y-%m-%d %H:%M:%S %Z}",
}


def text_of(name: str, value: Any, account: Account | None) -> str:
    """A value of the evidence as one reads it.

    Args:
        account: whose Dropbox was asked, if that is known.
    """
    if name == "account" and account:
        return f"{', '.join(part for part in (account.name, account.email) if part)} ({value})"
    if name == "path_root":
        return _root(value, account)
    reads = READS.get(name)
    return reads(value) if reads and value else reasons.text_of(name, value)


def _root(value: Any, account: Account | None) -> str:
    """Where the account's paths begin."""
    if not value:
        return "the account's own home"
    if account is None:
        return reasons.text_of("path_root", value)
    return f"{"the account's own home" if value == account.home else 'the team space'} ({value})"


def correction(lease: Lease, user: User) -> NextStep:
    """What to look at where Dropbox has no directory, and the way to it."""
    words = f"Check the number, or the folder in the configuration of {lease.agency}."
    return replace(step_of(CORRECT_NUMBER, lease, user), otherwise=words)
