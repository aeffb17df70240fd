"""Find leases by what somebody types or pastes into the search box."""

import re
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from leases.validation import normalise_text

if TYPE_CHECKING:
    from leases.models import Lease

HELP = "Part of a number, or several whole numbers separated by commas or semicolons; blanks and case do not matter."
SEPARATORS = re.compile(r"[,;\t\r\n]+")


def keys_of(text: str) -> list[str]:
    """The numbers in what was typed, in the one spelling that `Lease.number_key` has."""
    folded = ("".join(normalise_text(part).split()).upper() for part in SEPARATORS.split(text))
    return list(dict.fromkeys(filter(None, folded)))


def matching(leases: "QuerySet[Lease]", text: str) -> "QuerySet[Lease]":
    """Those with the number, or with a part of it, or with one of several whole numbers."""
    keys = keys_of(text)
    if not keys:
        return leases
    wanted = Q(number_key__contains=keys[0]) if len(keys) == 1 else Q(number_key__in=keys)
    return leases.filter(wanted)


def missing(leases: "QuerySet[Lease]", text: str) -> list[str]:
    """Which of several whole numbers no lease has."""
    keys = keys_of(text)
    if len(keys) < 2:  # noqa: PLR2004 - one is looked for in parts, and an empty list says so
        return []
    there = set(leases.filter(number_key__in=keys).values_list("number_key", flat=True))
    return [key for key in keys if key not in there]
