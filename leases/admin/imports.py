"""The pages of an import: choose a file, say which column is which, look at what is wrong, confirm."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, override

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from core.errors import Refused
from leases.admin.leases import person
from leases.errors import NothingToImport, UploadGone
from leases.imports import AGENCY, NUMBER, Checked, Mapping, check_rows, confirm, guess_mapping, keep_upload, rows_of
from leases.models import Agency, Batch, Upload
from leases.spreadsheets import MAX_BYTES, Row, too_large

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

PER_PAGE = 50
SAMPLE = 5
LETTERS = 26


class FileForm(forms.Form):
    """Which file; whatever is wrong with it is one sentence at the field."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # what is wrong with one is ours to say
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages={"required": "Choose a file first."},
    )

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(str(too_large(file.size or 0)))
        return file


class MappingForm(forms.Form):
    """Which column is which; stands in the address, so that a preview can be shared and reloaded."""

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
    def shows_wrong(self) -> bool:
        """Those first, if there are any: they are what one looks for."""
        return bool(self.wrong) and self._asked.get("show") != "all"

    @cached_property
    def page(self) -> Page[Checked]:
        rows = self.wrong if self.shows_wrong else self.checked
        return Paginator(rows, PER_PAGE).get_page(self._asked.get("page"))

    @property
    def cells(self) -> list["PreviewRow"]:
        return [PreviewRow(row=row) for row in self.page]

    @property
    def tabs(self) -> list[Tab]:
        return [
            Tab(label="Problems", count=self.wrong_count, url=self.url(show=""), is_chosen=self.shows_wrong),
            Tab(label="All rows", count=len(self.checked), url=self.url(show="all"), is_chosen=not self.shows_wrong),
        ]

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

    def url(self, **changed: str | int) -> str:
        """The same preview with something else of it."""
        query = QueryDict(mutable=True)
        query.update({name: str(value or "") for name, value in self.form.data.items() if name in self.form.fields})
        if not self.shows_wrong and self.wrong:
            query["show"] = "all"
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


class ImportPages:
    """For who may make leases."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Take a file; what can be read is previewed."""
        _require_importer(request)
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        if form.is_bound and form.is_valid():
            file: UploadedFile[Any] = form.cleaned_data["file"]
            try:
                upload = keep_upload(name=file.name or "file", content=file.read(), user=person(request))
            except Refused as refusal:
                form.add_error("file", str(refusal))
            else:
                return HttpResponseRedirect(reverse("admin:leases_batch_preview", args=[upload.pk]))
        return self._page(request, "choose", title="Import leases", form=form)

    def preview(self, request: HttpRequest, upload_id: int) -> HttpResponse:
        """Show what the file would become; posted, save it."""
        _require_importer(request)
        upload = Upload.objects.select_related("batch").filter(pk=upload_id).first()
        if upload is None:
            return _sent_back(request, UploadGone())
        if upload.batch is not None:
            return HttpResponseRedirect(_batch_url(upload.batch))
        if request.method == "POST":
            return _confirm(request, Preview(upload=upload, asked=request.POST))
        preview = Preview(upload=upload, asked=request.GET)
        return self._page(request, "preview", title=f"Import “{upload.name}”", preview=preview)

    def _page(self, request: HttpRequest, name: str, **given: Any) -> HttpResponse:
        context = {**self._site.each_context(request), "opts": Batch._meta, **given}
        return render(request, f"admin/leases/batch/{name}.html", context)


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


def _require_importer(request: HttpRequest) -> None:
    if not request.user.has_perm("leases.add_lease"):
        raise PermissionDenied


def _confirm(request: HttpRequest, preview: Preview) -> HttpResponse:
    here = reverse("admin:leases_batch_preview", args=[preview.upload.pk])
    if not preview.is_mapped:
        return HttpResponseRedirect(here)
    try:
        batch = confirm(upload_id=preview.upload.pk, mapping=preview.form.mapping, user=person(request))
    except UploadGone as refusal:
        return _sent_back(request, refusal)
    except NothingToImport as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(f"{here}{preview.url()}")
    messages.success(request, _imported(batch))
    if str(batch.size) != request.POST.get("expected"):
        messages.warning(request, "That is another number than the preview showed: leases were made or deleted since.")
    return HttpResponseRedirect(_batch_url(batch))


def _imported(batch: Batch) -> str:
    left_out = f"; {batch.left_out:,} rows were left out" if batch.left_out else ""
    return f"Imported: {batch.size:,} leases{left_out}. They are searched for now, a few at a time."


def _sent_back(request: HttpRequest, refusal: Refused) -> HttpResponse:
    messages.error(request, str(refusal))
    return HttpResponseRedirect(reverse("admin:leases_batch_import"))


def _batch_url(batch: Batch) -> str:
    return reverse("admin:leases_batch_change", args=[batch.pk])
