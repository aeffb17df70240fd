"""The pages of an import: choose a file, say which column is which, look at what is wrong, confirm."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from console.records.who import person
from core.base.errors import DatabaseTooBusy, Refused
from leases.admin.preview import Preview
from leases.admin.reading import ReadingForm, said_words
from leases.agency_words import remember
from leases.errors import NothingToImport, Overtaken, ReadOtherwise, TooManyWords, UploadGone
from leases.imports import confirm, forget_old_uploads, keep_upload, kept_uploads, read_again
from leases.models import Batch, Upload
from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import MAX_BYTES, too_large

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


NOT_YOURS = "Somebody else has chosen this file, and has not imported it yet. Choose the file yourself to import it."


class FileForm(forms.Form):
    """Which file; whatever is wrong with it is one sentence at the field."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # what is wrong with one is ours to say
        widget=forms.ClearableFileInput(
            attrs={
                "accept": ".csv,.txt,.tsv,.xlsx",
                "data-max-bytes": MAX_BYTES,
                "data-too-large": str(too_large("…")),
            }
        ),
        error_messages={"required": "Choose a file first."},
    )

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(str(too_large(f"{(file.size or 0) / 1e6:.1f} MB")))
        return file


class ImportPages:
    """For who may make leases."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Take a file; what can be read is previewed."""
        require_importer(request)
        forget_old_uploads()
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
        require_importer(request)
        upload = kept_uploads().select_related("batch", "created_by").filter(pk=upload_id).first()
        if upload is None:
            return sent_back(request, UploadGone())
        if upload.batch is not None:
            return HttpResponseRedirect(_batch_url(upload.batch))
        if request.method == "POST":
            return _confirm(request, Preview(upload=upload, asked=request.POST))
        preview = Preview(upload=upload, asked=request.GET)
        return self._page(request, "preview", title=f"Import “{upload.name}”", preview=preview)

    def read(self, request: HttpRequest, upload_id: int) -> HttpResponse:
        """Read the file by another separator, or another of its sheets; the columns are guessed anew."""
        require_importer(request)
        upload = kept_uploads().filter(pk=upload_id).first()
        form = ReadingForm(request.POST, upload=upload) if upload else None
        if form and form.choices:
            try:
                read_again(upload_id=upload_id, choices=form.choices, user=person(request))
            except UnreadableFile as refusal:
                messages.error(request, str(refusal))
            except UploadGone as refusal:
                return sent_back(request, refusal)
        return HttpResponseRedirect(reverse("admin:leases_batch_preview", args=[upload_id]))

    def words(self, request: HttpRequest, upload_id: int) -> HttpResponse:
        """Remember which agencies the words of the file mean, and show the same preview again."""
        require_importer(request)
        try:
            remember(words=said_words(request.POST), user=person(request))
        except TooManyWords as refusal:
            messages.error(request, str(refusal))
        upload = kept_uploads().filter(pk=upload_id, batch=None).first()
        query = Preview(upload=upload, asked=request.POST).url() if upload and "number" in request.POST else ""
        return HttpResponseRedirect(reverse("admin:leases_batch_preview", args=[upload_id]) + query)

    def _page(self, request: HttpRequest, name: str, **given: Any) -> HttpResponse:
        context = {**self._site.each_context(request), "opts": Batch._meta, **given}
        return render(request, f"admin/leases/batch/{name}.html", context)


def require_importer(request: HttpRequest) -> None:
    """Whoever may make leases may import them, each what they have chosen themselves.

    What has been imported is everybody's: its addresses lead to the batch.

    Raises:
        PermissionDenied: for everybody else, and for the file of somebody else.
    """
    if not request.user.has_perm("leases.add_lease"):
        raise PermissionDenied
    upload_id = request.resolver_match.kwargs.get("upload_id") if request.resolver_match else None
    if upload_id is not None:
        not_imported = Upload.objects.filter(pk=upload_id, batch__isnull=True)
        if not_imported.exclude(created_by=person(request)).exists():
            raise PermissionDenied(NOT_YOURS)


def _confirm(request: HttpRequest, preview: Preview) -> HttpResponse:
    here = reverse("admin:leases_batch_preview", args=[preview.upload.pk])
    if not preview.is_mapped:
        return HttpResponseRedirect(f"{here}{preview.url()}")
    only_sure = request.POST.get("only_sure", "")
    try:
        batch = confirm(
            upload_id=preview.upload.pk,
            mapping=preview.form.mapping,
            user=person(request),
            with_doubtful=not only_sure,
            read_by=request.POST.get("read_by", ""),
        )
    except UploadGone as refusal:
        return sent_back(request, refusal)
    except (NothingToImport, Overtaken, DatabaseTooBusy, ReadOtherwise) as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(f"{here}{preview.url()}")
    messages.success(request, _imported(batch))
    if str(batch.size) != (only_sure or request.POST.get("expected")):
        messages.warning(request, "That is another number than the preview showed: leases were made or deleted since.")
    return HttpResponseRedirect(_batch_url(batch))


def _imported(batch: Batch) -> str:
    left_out = f"; {_counted(batch.left_out, 'row was', 'rows were')} left out" if batch.left_out else ""
    return f"Imported: {_counted(batch.size, 'lease', 'leases')}{left_out}. The search has begun, a few at a time."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def sent_back(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """To where a file is chosen, with the reason."""
    messages.error(request, str(refusal))
    return HttpResponseRedirect(reverse("admin:leases_batch_import"))


def _batch_url(batch: Batch) -> str:
    return reverse("admin:leases_batch_change", args=[batch.pk])
