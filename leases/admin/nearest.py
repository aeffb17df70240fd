"""The archives whose names come nearest to a number that was not found, and what can be done with each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.urls import reverse

from cloud.addresses import address_of
from core.base.folding import fold_case
from leases.errors import CORRECT_NUMBER
from leases.lookalikes import unseen_in
from leases.models import Lease
from leases.queries import leases_numbered
from leases.validation import normalise_lease_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """An archive of nearly that name.

    Attributes:
        unseen: what nobody sees of the name, where it looks like the number; empty: it looks otherwise.
        dropbox_url: where it lies; the browser asks Dropbox, not we.
        lease_url: the lease that has this number already; empty: none has.
        may_be_number: whether the person may give the lease this number.
    """

    name: str
    unseen: str
    dropbox_url: str
    lease_url: str
    may_be_number: bool


def nearest_of(lease: Lease, evidence: Mapping[str, Any], user: User) -> list[Nearest]:
    """What a search that found nothing has seen beside it."""
    names, folder = evidence.get("nearest", []), evidence.get("path", "").rpartition("/")[0]
    if not names:
        return []
    numbers = [name for name in names if _is_number(name)]
    existing = {fold_case(each.lease_number): each.pk for each in leases_numbered(lease.agency, numbers)}
    may_change = user.has_perms(CORRECT_NUMBER.rights) and not lease.is_owed
    return [
        Nearest(
            name=name,
            unseen=unseen_in(name, lease.lease_number),
            dropbox_url=address_of(f"{folder}/{name}") if folder else "",
            lease_url=reverse("admin:leases_lease_change", args=[pk]) if (pk := existing.get(fold_case(name))) else "",
            may_be_number=may_change and name in numbers and fold_case(name) not in existing,
        )
        for name in names
    ]


def _is_number(name: str) -> bool:
    """Whether a lease may have it for its number, written just so: else its archive would not be found again."""
    try:
        return normalise_lease_number(name) == name
    except ValidationError:
        return False
