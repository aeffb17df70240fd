"""“Look now”: one click for a root as it is now. A root's own page includes the form, too."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.machine.buttons import lacking
from console.records.links import page_of
from console.records.who import person
from core.base.errors import Refused
from storage.admin.places import RUNS
from storage.errors import RootBusy
from storage.models import ACTIVE, IndexRun
from storage.services import CHANGES, IndexSyncService

SYNCS = "Looks at what lies there now, and brings the rows up to date. Nothing is deleted."
AUDITS = "Looks at what lies there now, and says what is different. Nothing is changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The form, as `admin/storage/look_now.html` shows it.

    Attributes:
        root: the root's name.
        note: what a click does; or why there is no button.
    """

    root: str
    note: str
    is_offered: bool


def look_for(user: User, *, root: str) -> Look:
    """The form for a person: `{% include "admin/storage/look_now.html" with look=… %}`."""
    right = IndexRun.run_right
    if not user.has_perm(right):
        return Look(root=root, note=lacking(IndexRun, right), is_offered=False)
    return Look(root=root, note=SYNCS if user.has_perm(CHANGES) else AUDITS, is_offered=True)


def look_now(request: HttpRequest) -> HttpResponse:
    """Start it, and lead to its page; if another run is under way, to that one.

    Raises:
        PermissionDenied: for who may not.
    """
    user, root = person(request), request.POST.get("root", "")
    if not user.has_perm(IndexRun.run_right):
        raise PermissionDenied(lacking(IndexRun, IndexRun.run_right))
    try:
        run = IndexSyncService(by=user).look(root=root)
    except Refused as refusal:
        messages.warning(request, str(refusal))
        return HttpResponseRedirect(_instead(root, refusal))
    return HttpResponseRedirect(page_of(run))


def _instead(root: str, refusal: Refused) -> str:
    """The page of what is in the way, if there is one."""
    busy = IndexRun.objects.filter(root__name=root, state__in=sorted(ACTIVE)).first()
    return page_of(busy) if busy and isinstance(refusal, RootBusy) else reverse(RUNS)
