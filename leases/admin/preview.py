"""What a file would become if it were imported: which column is which, and what is wrong with which row."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, override

from django import forms
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from leases.imports import AGENCY, NUMBER, Checked, Mapping, check_rows, guess_mapping, rows_of
from leases.models import Agency, Upload
from leases.spreadsheets import Row

PER_PAGE = 50
SAMPLE = 5
LETTERS = 26


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
        if given.get("number") and given.get("number") == given.get("agency"):
            self.add_error("agency", "One column cannot be both; choose another one, or one agency for all.")
        return given

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
        self._rows = rows_of(upload)

    @cached_property
    def form(self) -> MappingForm:
        """As it was asked for, else as it is guessed."""
        columns = [(str(place), label) for place, label in enumerate(column_labels(self._rows))]
        if "number" in self._asked:
            return MappingForm(self._asked, columns=columns)
        return MappingForm(_as_form(guess_mapping(self._rows)), columns=columns)

    @cached_property
    def is_mapped(self) -> bool:
        return self.form.mapping.is_complete

    @cached_property
    def is_asked(self) -> bool:
        """Whether a person has chosen, who is then told what is missing."""
        return "number" in self._asked

    @cached_property
    def checked(self) -> list[Checked]:
        return check_rows(self._rows, self.form.mapping) if self.is_mapped else []

    @cached_property
    def wrong(self) -> list[Checked]:
        return [row for row in self.checked if row.problems]

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
        """What is imported, though it is likely the same as another lease."""
        return [row for row in self.checked if row.warning]

    @property
    def similar_count(self) -> int:
        return len(self.similar)

    @cached_property
    def _parts(self) -> dict[str, list[Checked]]:
        """The rows by what they are asked for with; what one looks for comes first."""
        return {"": self.wrong, "similar": self.similar, "all": self.checked}

    @property
    def _first(self) -> str:
        return next((part for part, rows in self._parts.items() if rows), "all")

    @cached_property
    def shown(self) -> str:
        """Which of the parts: the one that is asked for, else the first that holds anything."""
        asked = self._asked.get("show", "")
        return asked if self._parts.get(asked) else self._first

    @cached_property
    def page(self) -> Page[Checked]:
        return Paginator(self._parts[self.shown], PER_PAGE).get_page(self._asked.get("page"))

    @property
    def cells(self) -> list["PreviewRow"]:
        return [PreviewRow(row=row) for row in self.page]

    @property
    def tabs(self) -> list[Tab]:
        """None where there is nothing but all rows."""
        labels = {"": "Problems", "similar": "Doubtful", "all": "All rows"}
        tabs = [
            Tab(label=labels[part], count=len(rows), url=self.url(show=part), is_chosen=part == self.shown)
            for part, rows in self._parts.items()
            if rows
        ]
        return tabs if len(tabs) > 1 else []

    @property
    def sample(self) -> list[Row]:
        """The first rows as they stand in the file."""
        return self._rows[:SAMPLE]

    @property
    def labels(self) -> list[str]:
        return [_letters(place) for place in range(_width(self._rows))]

    @property
    def previous_url(self) -> str:
        return self.url(page=self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next_url(self) -> str:
        return self.url(page=self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def left_out_url(self) -> str:
        """The rows with a problem as a file."""
        return reverse("admin:leases_batch_preview_left_out", args=[self.upload.pk]) + self.url()

    def url(self, **changed: str | int) -> str:
        """The same preview with something else of it."""
        query = QueryDict(mutable=True)
        query.update({name: str(value or "") for name, value in self.form.data.items() if name in self.form.fields})
        if self.shown != self._first:
            query["show"] = self.shown
        for name, value in changed.items():
            query[name] = str(value)
        return f"?{query.urlencode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One row, with what is wrong beside what is wrong."""

    row: Checked

    @property
    def agency_problem(self) -> str:
        return self.row.problems.get(AGENCY, "")

    @property
    def number_problem(self) -> str:
        return self.row.problems.get(NUMBER, "")


def column_labels(rows: list[Row]) -> list[str]:
    """What each column is called in a spreadsheet, and what stands in its first rows."""
    labels = []
    for place in range(_width(rows)):
        first = next((row.cells[place] for row in rows[:SAMPLE] if place < len(row.cells) and row.cells[place]), "")
        labels.append(f"{_letters(place)}: {first[:40]}" if first else _letters(place))
    return labels


def _width(rows: list[Row]) -> int:
    return max(len(row.cells) for row in rows)


def _letters(place: int) -> str:
    """A, B, … Z, AA, AB, … as a spreadsheet names its columns."""
    more, last = divmod(place, LETTERS)
    return (_letters(more - 1) if more else "") + chr(ord("A") + last)


def _as_form(mapping: Mapping) -> dict[str, Any]:
    given = {"number": mapping.number, "agency": mapping.agency, "first_row": mapping.first_row}
    return {name: "" if value is None else str(value) for name, value in given.items()}
