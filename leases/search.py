"""Find leases by what somebody types or pastes into the search box."""

import re

from django.db.models import Exists, Q, QuerySet, Value
from django.db.models.functions import Upper

from core.base.folding import fold_case
from leases.models import Lease
from leases.validation import normalise_number

HELP = "Part of a number, or several whole numbers separated by commas or semicolons; blanks and case do not matter."
SEPARATORS = re.compile(r"[,;\t\r\n]+")
# A number has so many words at most, and a search by blanks alone so many in all.
WORDS_OF_A_NUMBER = 4
WORDS = 60


def keys_of(text: str) -> list[str]:
    """The numbers in what was typed, without blanks; `Lease.number_key` has them in the database's capitals."""
    folded = (normalise_number(part).replace(" ", "") for part in SEPARATORS.split(text))
    return list(dict.fromkeys(filter(None, folded)))


def matching(leases: QuerySet[Lease], text: str) -> QuerySet[Lease]:
    """Those with the number, or with a part of it, or with one of several whole numbers."""
    keys = keys_of(text)
    if not keys:
        return leases
    if len(keys) > 1:
        return leases.filter(_is_one_of(keys))
    wanted = Q(number_key__contains=Upper(Value(keys[0])))
    if parts := _parts_of(text):
        found = Exists(Lease.objects.filter(wanted).order_by())
        wanted |= Q(~found, _is_one_of(parts))
    return leases.filter(wanted)


def numbered(leases: QuerySet[Lease], text: str) -> QuerySet[Lease]:
    """Those whose whole number is the one that is given, or one of several."""
    keys = keys_of(text)
    return leases.filter(_is_one_of(keys)) if keys else leases.none()


def _is_one_of(keys: list[str]) -> Q:
    """By the database's own capitals, which Python may have others for."""
    return Q(number_key__in=[Upper(Value(key)) for key in keys])


def _parts_of(text: str) -> list[str]:
    """The whole numbers that there may be in a text that has nothing but blanks between them."""
    words = normalise_number(text).split()
    if not 1 < len(words) <= WORDS:
        return []
    lengths = range(1, WORDS_OF_A_NUMBER + 1)
    return [
        "".join(words[at : at + length]) for at in range(len(words)) for length in lengths if at + length <= len(words)
    ]


def missing(leases: QuerySet[Lease], text: str) -> list[str]:
    """Which of several whole numbers no lease has, as they were typed."""
    typed = {fold_case(key): " ".join(part.split()) for part in SEPARATORS.split(text) for key in keys_of(part)}
    if len(typed) < 2:  # noqa: PLR2004 - one is looked for in parts, and an empty list says so
        return []
    there = leases.filter(_is_one_of(keys_of(text))).values_list("lease_number", flat=True)
    known = {fold_case(number.replace(" ", "")) for number in there}
    return [number for key, number in typed.items() if key not in known]
