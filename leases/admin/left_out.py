"""The rows that an import leaves out, as a file that can be corrected and imported again."""

from collections.abc import Iterable
from pathlib import PurePath

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from leases.admin.downloads import csv_file
from leases.admin.imports import require_importer
from leases.admin.preview import Preview
from leases.imports import LeftOut, kept_uploads, left_out_by, left_out_of
from leases.models import Batch

# An import knows the two in the middle by these names.
COLUMNS = ["Row", "Agency", "Lease number", "Problem"]


def of_preview(request: HttpRequest, upload_id: int) -> HttpResponseBase:
    """What would be left out if it were imported as the same address of the preview shows it.

    Raises:
        PermissionDenied, Http404: for who may not import; when the file is no longer kept.
    """
    require_importer(request)
    upload = get_object_or_404(kept_uploads(), pk=upload_id)
    if upload.batch_id is not None:
        return HttpResponseRedirect(reverse("admin:leases_batch_left_out", args=[upload.batch_id]))
    return _file(left_out_of(Preview(upload=upload, asked=request.GET).checked), upload.name)


def of_batch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What was left out.

    Raises:
        PermissionDenied, Http404: for who may not look.
    """
    if not request.user.has_perm("leases.view_lease"):
        raise PermissionDenied
    return _file(left_out_by(pk), get_object_or_404(Batch, pk=pk).title)


def _file(rows: Iterable[LeftOut], name: str) -> HttpResponseBase:
    cells = [[each.row, each.agency, each.lease_number, each.reason] for each in rows]
    return csv_file([COLUMNS, *cells], f"{PurePath(name).stem} - left out.csv")
