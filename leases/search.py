"""Find leases by what somebody types or pastes into the search box."""

import re

from django.db.models import Exists, Q, QuerySet

from leases.models import Lease
from leases.validation import normalise_text

HELP = "Part of a number, or several whole numbers separated by commas or semicolons; blanks and case do not matter."
SEPARATORS = re.compile(r"[,;\t\r\n]+")
# A number has so many words at most, and a search by blanks alone so many in all.
WORDS_OF_A_NUMBER = 4
WORDS = 60


def keys_of(text: str) -> list[str]:
    """The numbers in what was typed, in the one spelling that `Lease.number_key` has."""
    folded = ("".join(normalise_text(part).split()).upper() for part in SEPARATORS.split(text))
    return list(dict.fromkeys(filter(None, folded)))


def matching(leases: QuerySet[Lease], text: str) -> QuerySet[Lease]:
    """Those with the number, or with a part of it, or with one of several whole numbers."""
    keys = keys_of(text)
    if not keys:
        return leases
    if len(keys) > 1:
        return leases.filter(number_key__in=keys)
    wanted = Q(number_key__contains=keys[0])
    if parts := _parts_of(text):
        found = Exists(Lease.objects.filter(wanted).order_by())
        wanted |= Q(~found, number_key__in=parts)
    return leases.filter(wanted)


def _parts_of(text: str) -> list[str]:
    """The whole numbers that there may be in a text that has nothing but blanks between them."""
    words = normalise_text(text).upper().split()
    if not 1 < len(words) <= WORDS:
        return []
    lengths = range(1, WORDS_OF_A_NUMBER + 1)
    return [
        "".join(words[at : at + length]) for at in range(len(words)) for length in lengths if at + length <= len(words)
    ]


def missing(leases: QuerySet[Lease], text: str) -> list[str]:
    """Which of several whole numbers no lease has, as they were typed."""
    typed = {key: " ".join(part.split()) for part in SEPARATORS.split(text) for key in keys_of(part)}
    if len(typed) < 2:  # noqa: PLR2004 - one is looked for in parts, and an empty list says so
        return []
    there = set(leases.filter(number_key__in=list(typed)).values_list("number_key", flat=True))
    return [number for key, number in typed.items() if key not in there]
