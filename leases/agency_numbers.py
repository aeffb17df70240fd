"""How each agency writes the numbers of its leases: the one place that says so.

What is written otherwise is doubtful, and never refused: an agency may have written any number in any way. The old and the new
form of the Bureau's numbers are two numbers; nobody can tell the one from the other.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

# How the numbers of the Bureau's new system begin: the state, and the office that keeps the case.
_STATE_AND_OFFICE = "[a-z]{2}(?:ak|az|ca|co|es|id|mt|nm|nv|or|ut|wy)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How an agency's numbers are written. All patterns are of folded text without blanks and dashes.

    Attributes:
        begins: letters that only this agency's numbers begin with.
        also_begins: letters that they begin with, too; none at all is always one of these ways.
        numbers: what follows them, up to the end.
        whole: other forms, with their letters.
        examples: told to who writes a number otherwise.
        zero_for_o: how a number begins in which the letter O stands where the agency has a zero; it is written so all the same.
    """

    begins: str
    also_begins: str
    numbers: str
    whole: str
    examples: str
    zero_for_o: str = "(?!)"

    def fits(self, plain: str) -> bool:
        """Whether a number is written so."""
        return bool(re.fullmatch(rf"(?:{self.begins}|{self.also_begins})?(?:{self.numbers})|{self.whole}", plain))

    def is_told_by(self, plain: str) -> bool:
        """Whether no other agency writes such a number. Few digits tell nothing."""
        return bool(re.fullmatch(rf"(?:{self.begins})[0-9]{{3,}}[a-z]{{0,2}}", plain))


FORMS: Mapping[str, Form] = {
    "BLM": Form(
        # A federal serial number: the state, and the letters of its land office.
        begins="nm(?:nm|lc|sf|so)|(?:ok|tx|ks)nm|wyw|utu|coc|(?:mt|nd|sd)m|aza|nvn|caca|cas|idi",
        also_begins="nm|lc|sf|wy[bcde]?|ut|utsl|co|cod|mt|nd|sd|az|nv|ca|cari|la|id|or|ore|waor|ak|aka|akf|es|(?:al|ar|fl|ky|la|mi|ms|oh|pa|va|wv)es|ne[bw]?",
        # Seven of old, with zeros before them or without; a letter or two where a lease was divided.
        numbers="[0-9]{1,7}[a-z]{0,2}",
        whole=f"(?:{_STATE_AND_OFFICE})?[0-9]{{9}}[a-z]?",
        examples="NMNM 0501759, NMLC 0028446A or NMNM105551234",
    ),
    "NMSLO": Form(
        # The letters of the state's series, or one with a digit.
        begins="v[0-9a-c]|b[0-9a-co]|[ek][0-9]|l[0-9gho]",
        also_begins="[a-z]|og|e[0o]|k[0o]|vo|m[0-9]",
        # Of the lease, and of its assignment.
        numbers="[0-9]{1,9}[a-z]?",
        whole="(?!)",
        examples="B0-1234-5, VB-0514-0001, LG-1234 or 14537",
        zero_for_o="[beklv]o(?=[0-9])",
    ),
}


def doubts_about_form(*, agency: str, number: str) -> list[str]:
    """A sentence where a number is not written as its agency's are; none for an agency that nobody knows.

    Args:
        number: folded (`normalise_number`).
    """
    form, plain = FORMS.get(agency), _plain(number)
    if form is None:
        return []
    if form.fits(plain):
        return _doubts_about_o(form, agency=agency, number=number)
    if (other := agency_by_form(number)) and other != agency:
        return [f"“{number}” is written like a lease of {other}, not of {agency}."]
    return [f"“{number}” is not written like the numbers of {agency}, such as {form.examples}."]


def _doubts_about_o(form: Form, *, agency: str, number: str) -> list[str]:
    if not re.match(form.zero_for_o, _plain(number)):
        return []
    meant = re.sub("[Oo]", "0", number, count=1)
    return [f"“{number}” begins with the letter O, where {agency} has a zero: see whether “{meant}” is meant."]


def agency_by_form(number: str) -> str:
    """The agency whose lease numbers are written so; empty: nobody can tell."""
    plain = _plain(number)
    return next((agency for agency, form in FORMS.items() if form.is_told_by(plain)), "")


def _plain(number: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", number).casefold())
