"""The buttons of a preview that put the name of an archive in the place of a number."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from console.records.who import person
from leases.admin.imports import require_importer, sent_back
from leases.admin.preview import Preview
from leases.corrections import correct_numbers
from leases.errors import InvalidLease, ReadOtherwise, UploadGone
from leases.imports import kept_uploads

NOT_AS_SHOWN = "Others can be taken by now than were shown. Nothing was changed; look at them again."
# No file has more digits in the number of a row.
DIGITS_AT_MOST = 9


def numbers(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Correct the number of a row, or of all that are sure, or take that back, and show the same preview again."""
    require_importer(request)
    upload = kept_uploads().select_related("created_by").filter(pk=upload_id, batch__isnull=True).first()
    here = reverse("admin:leases_batch_preview", args=[upload_id])
    if upload is None or "number" not in request.POST:
        return HttpResponseRedirect(here)
    preview = Preview(upload=upload, asked=request.POST)
    column, wanted = preview.form.mapping.number, _wanted(request.POST, preview)
    if wanted is None:
        messages.error(request, NOT_AS_SHOWN)
    elif wanted and column is not None:
        read_by = request.POST.get("read_by", "")
        try:
            correct_numbers(upload_id=upload_id, column=column, numbers=wanted, user=person(request), read_by=read_by)
        except UploadGone as refusal:
            return sent_back(request, refusal)
        except (InvalidLease, ReadOtherwise) as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _corrected(wanted))
    return HttpResponseRedirect(f"{here}{_again(preview, request.POST)}#rows")


def _wanted(posted: QueryDict, preview: Preview) -> dict[int, str] | None:
    """The numbers by their rows, empty where one is taken back; None: what was shown is not what would be done."""
    row, _, number = posted.get("take", "").partition(":")
    if _is_row(row) and number:
        return {int(row): number}
    if _is_row(row := posted.get("take_back", "")):
        return {int(row): ""}
    if "take_same" in posted:
        return preview.same_numbers if posted["take_same"] == str(len(preview.same_numbers)) else None
    return {}


def _is_row(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_AT_MOST


def _corrected(wanted: dict[int, str]) -> str:
    (row, number), *others = wanted.items()
    if others:
        return f"{len(wanted):,} numbers are corrected. The file itself stays as it is."
    return f"Row {row} is {number} now. The file itself stays as it is." if number else f"Row {row} is as in the file."


def _again(preview: Preview, posted: QueryDict) -> str:
    """The same rows, as far as there are such by now."""
    page = posted.get("page", "")
    return preview.url(show=posted.get("show", ""), **({"page": page} if page not in {"", "1"} else {}))
