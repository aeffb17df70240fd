"""What a file would become if it were imported: which column is which, and what is wrong with which row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, override

from django import forms
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from leases.admin.preview_rows import PreviewRow
from leases.admin.reading import AskedWord, ReadingForm, asked_words
from leases.agency_words import known_words
from leases.calls import Calls
from leases.columns import Mapping, cell_of, guess_mapping, letters, width
from leases.imports import read_by_of, rows_in_file, rows_of
from leases.models import Agency, Upload
from leases.row_checks import Checked, Examined, LeftOut, examine
from leases.unfound import Unfound, calls_of_import, rows_without_archive, same_numbers, taken_numbers
from spreadsheets.tables import Row

PER_PAGE = 50
SAMPLE = 5
# Tabs of the rows, in which what one looks for comes first.
WRONG, SIMILAR, UNFOUND, CORRECTED, NO_LEASES, ALL = "", "similar", "unfound", "corrected", "none", "all"

# What is missing, and where it is said: the fields stand below, by these names.
NO_NUMBER = (
    "Say which column holds the lease numbers.",
    "The file does not tell: choose the column below, at “Lease number”.",
)
NO_AGENCY = (
    "Say whose leases these are.",
    "No column is known to hold the agencies: choose one below, at “Agency”, or there one agency for every lease.",
)
NEITHER_COLUMN = (
    "Say which column is which.",
    "The names in this file do not tell: choose below which column is the “Lease number”, and which the “Agency”.",
)
SAME_COLUMN = (
    "One column cannot be both.",
    "Choose below, at “Agency”, another one than for the lease numbers, or one agency for every lease.",
)
NO_FIRST_ROW = ("Say where the leases begin.", "Write below, at “First row with a lease”, the number of a row.")


class MappingForm(forms.Form):
    """Which column is which; stands in the address, so that a preview can be reloaded."""

    number = forms.ChoiceField(label="Lease number", error_messages={"required": "Choose the column of lease numbers."})
    agency = forms.ChoiceField(label="Agency", error_messages={"required": "Choose a column, or one agency for all."})
    first_row = forms.IntegerField(label="First row with a lease", min_value=1, max_value=10_000_000)

    def __init__(self, data: QueryDict | dict[str, Any], *, columns: list[tuple[str, str]]) -> None:
        super().__init__(data)
        choices = [("", "Choose …"), *columns]
        agencies = [(agency.value, f"{agency.value} for every lease") for agency in Agency]
        for name, given in (("number", choices), ("agency", [*choices, *agencies])):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.ChoiceField)
            chosen.choices = given

    @override
    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if {"number", "agency"} <= given.keys() and self.is_one_column:
            self.add_error("agency", "One column cannot be both; choose another one, or one agency for all.")
        return given

    @property
    def is_one_column(self) -> bool:
        """Whether one column is chosen for both."""
        return bool(self.data.get("number")) and self.data.get("number") == self.data.get("agency")

    @property
    def mapping(self) -> Mapping:
        """What was chosen; incomplete if it was not right."""
        if not self.is_valid():
            return Mapping()
        agency, number = self.cleaned_data["agency"], int(self.cleaned_data["number"])
        first_row = self.cleaned_data["first_row"]
        if agency in Agency:
            return Mapping(number=number, agency_of_all=agency, first_row=first_row)
        return Mapping(number=number, agency=int(agency), first_row=first_row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """Some of the rows, and the address of them."""

    label: str
    count: int
    url: str
    is_chosen: bool


class Preview:
    """What an upload would become."""

    def __init__(self, *, upload: Upload, asked: QueryDict) -> None:
        self.upload = upload
        self._asked = asked
        self.rows = rows_of(upload)
        self._words = known_words()

    @cached_property
    def form(self) -> MappingForm:
        """As it was asked for, else as it is guessed."""
        columns = [(str(place), label) for place, label in enumerate(column_labels(self.rows))]
        if "number" in self._asked:
            return MappingForm(self._asked, columns=columns)
        return MappingForm(_as_form(guess_mapping(self.rows)), columns=columns)

    @cached_property
    def is_mapped(self) -> bool:
        return self.form.mapping.is_complete

    @property
    def missing(self) -> tuple[str, str]:
        """What the form has to say before the rows can be looked at: in a few words, and in a sentence where."""
        lacks = [name for name in ("number", "agency") if name in self.form.errors]
        if lacks == ["number"]:
            return NO_NUMBER
        if lacks == ["agency"]:
            return SAME_COLUMN if self.form.is_one_column else NO_AGENCY
        return NEITHER_COLUMN if lacks else NO_FIRST_ROW

    @cached_property
    def is_asked(self) -> bool:
        """Whether a person has chosen, who is then told what is missing."""
        return "number" in self._asked

    @cached_property
    def reading(self) -> ReadingForm:
        """By what the file is read, which a person may know better."""
        return ReadingForm(upload=self.upload)

    @property
    def read_by(self) -> str:
        return read_by_of(self.upload)

    @cached_property
    def examined(self) -> Examined:
        return examine(self.rows, self.form.mapping, self._words) if self.is_mapped else Examined()

    @property
    def notes(self) -> list[str]:
        """What a person may not expect: of the file, and of its columns."""
        return [*self.upload.notes, *self.examined.notes]

    @cached_property
    def words(self) -> list[AskedWord]:
        """What the file calls agencies, where a person has to say, or has said, which they are."""
        no_leases = [row.row for row in self.examined.no_leases]
        return asked_words(self.rows, self.form.mapping, self._words, no_leases) if self.is_mapped else []

    @property
    def has_unknown_words(self) -> bool:
        return any(not word.is_known for word in self.words)

    @property
    def checked(self) -> tuple[Checked, ...]:
        return self.examined.checked

    @cached_property
    def wrong(self) -> list[Checked]:
        return self.examined.wrong

    @property
    def wrong_count(self) -> int:
        return len(self.wrong)

    @property
    def existing_count(self) -> int:
        return sum(row.existing_id is not None for row in self.wrong)

    @property
    def right_count(self) -> int:
        return len(self.checked) - len(self.wrong)

    @cached_property
    def similar(self) -> list[Checked]:
        """What is imported, though it may not be what is meant."""
        return self.examined.doubtful

    @property
    def similar_count(self) -> int:
        return len(self.similar)

    @property
    def sure_count(self) -> int:
        return self.right_count - self.similar_count

    @cached_property
    def unfound(self) -> Unfound | None:
        """Which of them have no archive, and of which that is not known without asking Dropbox; None where nobody reads them."""
        return rows_without_archive(self.examined, user=self.upload.created_by)

    @property
    def unfound_url(self) -> str:
        return self.url(show=UNFOUND)

    @cached_property
    def same_numbers(self) -> dict[int, str]:
        """Of rows without an archive: the one that is sure to be meant, by the numbers of the rows."""
        return same_numbers(self.examined, self.unfound) if self.unfound else {}

    @cached_property
    def corrected(self) -> dict[int, str]:
        """What stands in the file where a person has put another number, by the numbers of the rows."""
        column = self.form.mapping.number
        rows = {int(row) for row, (at, _) in self.upload.corrected.items() if at == column}
        return {row.number: cell_of(row, column) for row in rows_in_file(self.upload) if row.number in rows}

    @property
    def corrected_url(self) -> str:
        return self.url(show=CORRECTED)

    @cached_property
    def calls(self) -> Calls | None:
        """About how often Dropbox is asked if all that can be imported is."""
        return calls_of_import(self.examined.usable, user=self.upload.created_by)

    @property
    def no_leases(self) -> tuple[LeftOut, ...]:
        """The rows that are no leases; the names of the columns and what stands above the leases among them."""
        return self.examined.no_leases

    @property
    def header(self) -> LeftOut | None:
        """The row of the names of the columns."""
        return next((row for row in self.examined.no_leases if row.is_header), None)

    @property
    def no_leases_url(self) -> str:
        return self.url(show=NO_LEASES)

    @cached_property
    def no_lease_count(self) -> int:
        """Such as totals and notes."""
        return sum(not (row.is_header or row.is_above) for row in self.no_leases)

    @cached_property
    def above_count(self) -> int:
        """Rows above the one where the leases begin, as was said or guessed."""
        return sum(row.is_above for row in self.no_leases)

    @property
    def first_row(self) -> int:
        return self.form.mapping.first_row

    @cached_property
    def _parts(self) -> dict[str, Sequence[Checked | LeftOut]]:
        """The rows by what they are asked for with; what one looks for comes first."""
        unfound = [each.row for each in self.unfound.by_row.values()] if self.unfound else []
        return {
            WRONG: self.wrong,
            SIMILAR: self.similar,
            UNFOUND: unfound,
            CORRECTED: [row for row in self.checked if row.row in self.corrected],
            ALL: self.checked,
            NO_LEASES: self.no_leases,
        }

    @property
    def _first(self) -> str:
        return next((part for part in (WRONG, SIMILAR, UNFOUND, ALL) if self._parts[part]), NO_LEASES)

    @cached_property
    def shown(self) -> str:
        """Which of the parts: the one that is asked for, else the first that holds anything."""
        asked = self._asked.get("show", "")
        return asked if self._parts.get(asked) else self._first

    @cached_property
    def page(self) -> Page[Checked | LeftOut]:
        return Paginator(self._parts[self.shown], PER_PAGE).get_page(self._asked.get("page"))

    @property
    def cells(self) -> list["PreviewRow"]:
        unfound = self.unfound.by_row if self.unfound else {}
        taken = taken_numbers(self.examined, [unfound[row.row] for row in self.page if row.row in unfound])
        return [
            PreviewRow(row=row, without_archive=unfound.get(row.row), taken=taken, in_file=self.corrected.get(row.row))
            for row in self.page
        ]

    @property
    def tabs(self) -> list[Tab]:
        """None where there is nothing but all rows."""
        labels = {
            WRONG: "Problems",
            SIMILAR: "Doubtful",
            UNFOUND: "No archive",
            CORRECTED: "Corrected",
            NO_LEASES: "No leases",
            ALL: "All rows",
        }
        tabs = [
            Tab(label=labels[part], count=len(rows), url=self.url(show=part), is_chosen=part == self.shown)
            for part, rows in self._parts.items()
            if rows
        ]
        return tabs if len(tabs) > 1 else []

    @property
    def sample(self) -> list[Row]:
        """The first rows as they stand in the file."""
        return rows_in_file(self.upload)[:SAMPLE]

    @property
    def labels(self) -> list[str]:
        return [letters(place) for place in range(width(self.rows))]

    @property
    def previous_url(self) -> str:
        return self.url(page=self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next_url(self) -> str:
        return self.url(page=self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def left_out_url(self) -> str:
        """The rows that would be left out, as a file."""
        return reverse("admin:leases_batch_preview_left_out", args=[self.upload.pk]) + self.url()

    def url(self, **changed: str | int) -> str:
        """The same preview with something else of it."""
        query = QueryDict(mutable=True)
        query.update({name: str(value or "") for name, value in self.form.data.items() if name in self.form.fields})
        if "show" not in changed and self.shown != self._first:
            query["show"] = self.shown
        for name, value in changed.items():
            query[name] = str(value)
        return f"?{query.urlencode()}"


def column_labels(rows: list[Row]) -> list[str]:
    """What each column is called in a spreadsheet, and what stands in its first rows."""
    labels = []
    for place in range(width(rows)):
        first = next((row.cells[place] for row in rows[:SAMPLE] if place < len(row.cells) and row.cells[place]), "")
        labels.append(f"{letters(place)}: {first[:40]}" if first else letters(place))
    return labels


def _as_form(mapping: Mapping) -> dict[str, Any]:
    given = {"number": mapping.number, "agency": mapping.agency, "first_row": mapping.first_row}
    return {name: "" if value is None else str(value) for name, value in given.items()}
