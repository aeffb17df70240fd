"""The archives whose names come nearest to a number that was not found, and what can be done with each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from cloud.addresses import address_of
from core.base.folding import fold_case
from leases.errors import CORRECT_NUMBER
from leases.lookalikes import unseen_in
from leases.models import Lease
from leases.queries import leases_numbered, near_in
from leases.validation import is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """An archive of nearly that name.

    Attributes:
        has_report: None: nobody has looked into it, or not into all of it.
        unseen: what nobody sees of the name, where it looks like the number; empty: it looks otherwise.
        dropbox_url: where it lies; the browser asks Dropbox, not we.
        lease_url: the lease that has this number already; empty: none has.
        may_be_number: whether the person may give the lease this number.
    """

    name: str
    has_report: bool | None
    unseen: str
    dropbox_url: str
    lease_url: str
    may_be_number: bool

    @property
    def report(self) -> str:
        """In words; empty where it is not known."""
        return "" if self.has_report is None else "has a report" if self.has_report else "no report"


def nothing_near(evidence: Mapping[str, Any]) -> str:
    """What is said where no archive is named beside the one that is not there; empty where some are."""
    if "nearest_unknown" in evidence:
        return f"Whether another archive has nearly this name is not known: {evidence['nearest_unknown']}."
    return "" if evidence.get("nearest", [""]) else "No archive has nearly this name."


def nearest_of(lease: Lease, evidence: Mapping[str, Any], user: User) -> list[Nearest]:
    """What a search that found nothing has seen beside it."""
    near, folder = near_in(evidence), evidence.get("path", "").rpartition("/")[0]
    if not near:
        return []
    names = [each.name for each in near]
    numbers = [name for name in names if is_number(name)]
    existing = {fold_case(each.lease_number): each.pk for each in leases_numbered(lease.agency, numbers)}
    may_change = user.has_perms(CORRECT_NUMBER.rights) and not lease.is_owed
    return [
        Nearest(
            name=name,
            has_report=each.has_report,
            unseen=unseen_in(name, lease.lease_number),
            dropbox_url=address_of(f"{folder}/{name}") if folder else "",
            lease_url=reverse("admin:leases_lease_change", args=[pk]) if (pk := existing.get(fold_case(name))) else "",
            may_be_number=may_change and name in numbers and fold_case(name) not in existing,
        )
        for each, name in zip(near, names, strict=True)
    ]
