"""What was asked and answered, as a person reads it: the evidence of a transition."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from leases.queries import PASSED_OVER_COUNT
from statemachine.evidence import bounded, is_more

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
    "link": "Share link",
    "base_path": "Base path",
    "namespace": "Shared folder",
    "folder_id": "Dropbox's id of the directory",
    "scope": "Permission that is missing",
    "exception": "Exception",
    "request_id": "Dropbox's request",
    "request_ids": "Dropbox's requests",
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


def reasons(evidence: Mapping[str, Any], account: Account | None = None) -> Iterator[tuple[str, str]]:
    """Each thing that is known, under its name; what has none of ours under its own.

    Args:
        account: whose Dropbox was asked, if that is known.
    """
    evidence = bounded(evidence)  # what older transitions have kept may be as long as a directory
    named = [name for name in LABELS if name in evidence]
    for name in [*named, *(other for other in evidence if other not in LABELS)]:
        yield LABELS.get(name, name.replace("_", " ").capitalize()), _text(evidence[name], name, account)


def _text(value: Any, name: str, account: Account | None) -> str:
    if name == "account" and account:
        return f"{', '.join(part for part in (account.name, account.email) if part)} ({value})"
    if name == "path_root" and account and value:
        return f"{"the account's own home" if value == account.home else 'the team space'} ({value})"
    if name == "pattern":
        return f"{value} (a regular expression, the setting RUNSHEET_PREVIOUS_REPORT_PATTERN)"
    if isinstance(value, list):
        return ", ".join(each if is_more(each) else f"“{each}”" for each in value) or "none"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value) or ("the account's own home" if name == "path_root" else "–")  # noqa: RUF001 - a dash
