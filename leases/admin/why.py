"""What the evidence of a lease's transitions is called, and what to look at where Dropbox has no directory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User

from console.machine import reasons
from console.machine.next_steps import NextStep, step_of
from leases.errors import CORRECT_NUMBER
from leases.models import Lease
from leases.queries import PASSED_OVER_COUNT

LABELS: Mapping[str, str] = {
    "path": "Path asked for",
    "account": "Dropbox account",
    "path_root": "Path root",
    "route": "Dropbox was asked",
    "answer": "Answer",
    "status": "HTTP status",
    "error": "Dropbox said",
    "text": "In Dropbox's words",
    "cause": "Cause",
    "entries": "Entries in the directory",
    "pattern": "Rule for a previous report",
    "matching": "Names that match",
    "passed_over": "Passed over, as remains of programs",
    PASSED_OVER_COUNT: "Passed over in all",
    "nearest": "Nearest names in the base folder",
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


def text_of(name: str, value: Any, account: Account | None) -> str:
    """A value of the evidence as one reads it.

    Args:
        account: whose Dropbox was asked, if that is known.
    """
    if name == "account" and account:
        return f"{', '.join(part for part in (account.name, account.email) if part)} ({value})"
    if name == "path_root" and account and value:
        return f"{"the account's own home" if value == account.home else 'the team space'} ({value})"
    if name == "path_root" and not value:
        return "the account's own home"
    if name == "pattern":
        return f"{value} (a regular expression, the setting RUNSHEET_PREVIOUS_REPORT_PATTERN)"
    return reasons.text_of(name, value)


def correction(lease: Lease, user: User) -> NextStep:
    """What to look at where Dropbox has no directory, and the way to it."""
    words = f"Check the number, or the folder in the configuration of {lease.agency}."
    return replace(step_of(CORRECT_NUMBER, lease, user), otherwise=words)
