"""The rows that an import leaves out, as a file that can be corrected and imported again."""

from pathlib import PurePath

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from console.records.exports import csv_file
from leases.admin.imports import require_importer
from leases.admin.preview import Preview
from leases.imports import LeftOutRows, kept_uploads, left_out_by
from leases.models import Batch
from leases.row_checks import left_out_of

# An import knows the two in the middle by these names. The columns of the file itself follow.
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
    preview = Preview(upload=upload, asked=request.GET)
    rows = left_out_of(preview.rows, preview.examined)
    return _file(LeftOutRows(rows=rows, own_columns=list(preview.examined.own_columns.values())), upload.name)


def of_batch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What was left out.

    Raises:
        PermissionDenied, Http404: for who may not look.
    """
    if not request.user.has_perm("leases.view_lease"):
        raise PermissionDenied
    return _file(left_out_by(pk), get_object_or_404(Batch, pk=pk).title)


def _file(left_out: LeftOutRows, name: str) -> HttpResponseBase:
    own = [_own(name) for name in left_out.own_columns]
    cells = [[each.row, each.agency, each.lease_number, each.reason, *each.others] for each in left_out.rows]
    return csv_file([[*COLUMNS, *own], *cells], f"{PurePath(name).stem} - left out.csv")


def _own(name: str) -> str:
    """The name of one of the file's own columns, which must not be taken for one of ours when it is imported again."""
    return f"{name} (own)" if name.casefold() in {ours.casefold() for ours in COLUMNS} else name
