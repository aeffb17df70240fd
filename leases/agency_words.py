"""What people call an agency: its own names, and the words whose meaning somebody has said.

What "Federal" means is the same for everybody in an office, so it is remembered for all, with who said it and when.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from core.base.folding import without_unseen
from leases.errors import TooManyWords
from leases.models import Agency, AgencyWord
from statemachine.rights import require

# Folded word to agency.
Words = Mapping[str, str]

# More would be sentences, and a list that nobody looks through.
LONGEST = AgencyWord.LENGTH
MOST = 1_000

# What a word most likely means, offered to be confirmed and never taken by itself: a lessor is not always the office.
_LIKELY = {
    Agency.BLM: r"federal.*|feds?|.*\bbureau of land management\b.*|blm .*|us.*|.*\bunited states\b.*|usdi|.*\binterior\b.*",
    Agency.NMSLO: r"state|slo|nm slo|.*\bstate land office\b.*|.*\bnew mexico\b.*|state lands?|state trust.*|nm state.*",
}


@cache
def own_names() -> Words:
    """The value, the label and the full name of each agency."""
    names: dict[str, str] = {}
    for agency in Agency:
        full_name = agency.label.partition("(")[2].rstrip(")")
        names |= {fold(each): agency.value for each in (agency.value, agency.label, full_name) if each}
    return names


def known_words() -> Words:
    """The agencies' own names, which mean nothing else, and what is remembered; asks the database once."""
    return {**dict(AgencyWord.objects.values_list("word", "agency")), **own_names()}


@lru_cache(1_000)
def fold(word: str) -> str:
    """What does not matter in it taken away: case, dots, dashes and doubled blanks."""
    plain = unicodedata.normalize("NFKC", without_unseen(word)).casefold().replace(".", "")
    return " ".join(re.findall(r"\w+", plain))


def agency_of(cell: str, words: Words) -> str:
    """The agency that the cell means, else what stands there."""
    return words.get(fold(cell), cell)


def likely_agency(word: str) -> str:
    """What the word most likely means, for a person to confirm; empty: nobody can tell."""
    folded = fold(word)
    return next((agency.value for agency, pattern in _LIKELY.items() if re.fullmatch(pattern, folded)), "")


def remember(*, words: Mapping[str, str], user: User) -> None:
    """Take words to mean an agency from now on, for everybody; those that mean none are forgotten.

    Args:
        words: as they stand in a file, to a value of `Agency`, or to nothing.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was changed.
        TooManyWords: nothing was changed.
    """
    require(user, "leases.add_lease")
    said = {fold(word): agency for word, agency in words.items()}
    kept = {word: agency for word, agency in said.items() if agency in Agency and 0 < len(word) <= LONGEST}
    with transaction.atomic():
        AgencyWord.objects.filter(word__in=[word for word in said if word not in kept]).delete()
        AgencyWord.objects.bulk_create(
            [
                AgencyWord(word=word, agency=agency, said_by=user, said_at=Now())
                for word, agency in sorted(kept.items())
                if word not in own_names()
            ],
            update_conflicts=True,
            unique_fields=["word"],
            update_fields=["agency", "said_by", "said_at"],
        )
        if AgencyWord.objects.count() > MOST:
            raise TooManyWords
