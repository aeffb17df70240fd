"""What a person says of how a file is to be read: its separator or sheet, and what its words for agencies mean."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from leases.agency_words import LONGEST, Words, agency_of, fold, likely_agency, own_names
from leases.columns import Mapping, cell_of
from leases.models import Agency, Upload
from spreadsheets.delimited import NO_SEPARATOR, SEPARATORS
from spreadsheets.tables import Choices, Row

# Words that are asked about at once; the most frequent ones.
ASKED = 20
SEPARATOR_LABELS = {
    ",": "Comma ,",
    ";": "Semicolon ;",
    "\t": "Tabulator",
    "|": "Vertical bar |",
    NO_SEPARATOR: "Nothing: one column",
}
assert set(SEPARATOR_LABELS) == {*SEPARATORS, NO_SEPARATOR}


class ReadingForm(forms.Form):
    """What a file has: a CSV file a separator, a workbook sheets."""

    def __init__(self, data: QueryDict | None = None, *, upload: Upload) -> None:
        super().__init__(data)
        read_by, sheets = upload.reading, upload.reading.get("sheets", [])
        if read_by.get("separator"):
            self.fields["separator"] = forms.ChoiceField(
                label="Between the cells stands",
                choices=list(SEPARATOR_LABELS.items()),
                initial=read_by["separator"],
            )
        if len(sheets) > 1:
            self.fields["sheet"] = forms.ChoiceField(
                label="Sheet", choices=[(name, name) for name in sheets], initial=read_by["sheet"]
            )

    @property
    def choices(self) -> Choices | None:
        """What was chosen; None: that is no choice."""
        return Choices(**self.cleaned_data) if self.is_valid() and self.cleaned_data else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWord:
    """A word that a file has for an agency.

    Attributes:
        meaning: the agency that it is known to mean, else the one that it most likely means; the latter is offered only.
    """

    word: str
    count: int
    meaning: str
    is_known: bool

    @property
    def choices(self) -> Iterable[tuple[str, str, bool]]:
        """Value, label, and whether it is the one that is shown first."""
        yield "", "no agency", not self.meaning
        for agency in Agency:
            yield agency.value, agency.label, agency.value == self.meaning


def asked_words(rows: Sequence[Row], mapping: Mapping, words: Words, no_leases: Iterable[int]) -> list[AskedWord]:
    """The words in the column of agencies that are no agency's own names, the most frequent first.

    Args:
        no_leases: numbers of rows whose words nobody need know.
    """
    if mapping.agency is None:
        return []
    passed_over = set(no_leases)
    counted = Counter(cell_of(row, mapping.agency) for row in rows if row.number not in passed_over)
    found: dict[str, AskedWord] = {}
    for word, count in counted.most_common():
        folded = fold(word)
        if not folded or len(folded) > LONGEST or word.startswith(("=", "#")) or folded in {*own_names(), *found}:
            continue
        known = agency_of(word, words)
        is_known = known in Agency
        meaning = known if is_known else likely_agency(word)
        found[folded] = AskedWord(word=word, count=count, meaning=meaning, is_known=is_known)
    return sorted(found.values(), key=lambda each: each.is_known)[:ASKED]


def said_words(posted: QueryDict) -> dict[str, str]:
    """Word to agency, as the form of a preview sends them."""
    pairs: Any = zip(posted.getlist("word")[:ASKED], posted.getlist("meaning")[:ASKED], strict=False)
    return dict(pairs)
