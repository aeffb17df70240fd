"""The ticked leases as a file; how they are written is `leases.admin.downloads`' business."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from leases.admin.downloads import KINDS, TooManyForWorkbook, download, name_of_today
from leases.models import Lease

type AdminAction = Callable[[Any, HttpRequest, QuerySet[Lease]], HttpResponseBase | None]


def _action(kind: str) -> AdminAction:
    def act(_listed: Any, request: HttpRequest, leases: QuerySet[Lease]) -> HttpResponseBase | None:
        try:
            return download(leases, kind=kind, name=name_of_today())
        except TooManyForWorkbook as refusal:
            messages.warning(request, str(refusal))
            return None

    # By its name the admin knows an action.
    act.__name__ = f"download_{kind}"
    return admin.action(description=f"Download as {kind.upper()}", permissions=["view"])(act)


DOWNLOADS = tuple(map(_action, KINDS))
