"""Leases one by one, for programs: read, made, changed, run, stopped, and what has happened to each."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Status

from api import etags
from api.openapi.versions import if_match
from api.paging import Page, Paged, page
from api.shapes import Said
from console.machine.buttons import Button, press
from core.http.lists import of_list
from leases import services
from leases.api.asking import SEE, SHOWN_WITH, as_seen, asking, here, there, version_of
from leases.api.filters import Listed
from leases.api.shapes import AnAgency, Happened, LeaseAnswer, LeaseItem
from leases.buttons import DETECT, DISCOVER, MAKE, SEARCH, STOP
from leases.duplicates import doubts_about
from leases.models import Lease
from statemachine.models import TransitionLog

router = Router()

type What = Literal["full", "search", "detection", "archive"]
RUNS: Mapping[What, Button] = {"full": DISCOVER, "search": SEARCH, "detection": DETECT, "archive": MAKE}


class NewLease(Said):
    """Which lease; everything else is found out.

    Attributes:
        number: as in the archive's folder name.
    """

    agency: AnAgency
    number: str


class ChangedLease(Said):
    """What of it is to be otherwise; what is left out stays."""

    agency: AnAgency | None = None
    number: str | None = None


class WantedRun(Said):
    """What is done with it, as by the buttons of its page.

    Attributes:
        what: “full” discovery, a “search” for the directory alone, a “detection” of a previous report in the known one, or that
            the missing “archive” is made.
    """

    what: What = "full"


@router.get("/", response=Page[LeaseItem], url_name="leases")
@of_list
def leases(request: HttpRequest, response: HttpResponse, wanted: Annotated[Listed, Query()]) -> Page[LeaseItem]:
    """Leases that all of the parameters apply to, some at a time.

    Raises:
        TransitionForbidden, CursorUnknown, TooManySearched: nothing was looked for.
    """
    asking(request, SEE)
    found = wanted.leases().select_related(*SHOWN_WITH)
    shown = page(found, order=[wanted.by], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
    return shown.shown(LeaseItem.of).told(request, response)


@router.post("/", response={HTTPStatus.CREATED: LeaseAnswer}, url_name="leases")
def add_lease(request: HttpRequest, response: HttpResponse, wish: Annotated[NewLease, Body()]) -> Status[LeaseAnswer]:
    """Make a lease. It starts by itself; its address tells how that goes.

    Raises:
        TransitionForbidden, InvalidLease, DuplicateLease: nothing was saved.
    """
    user = asking(request, SEE)
    made = services.create_lease(agency=wish.agency, lease_number=wish.number, created_by=user)
    response["Location"] = here(request, "lease", made.pk)
    return Status(HTTPStatus.CREATED, _saved(response, made.pk))


@router.get("/{int:lease_id}/", response=LeaseAnswer, url_name="lease")
def lease(request: HttpRequest, response: HttpResponse, lease_id: int) -> LeaseAnswer:
    """A lease as it stands.

    Raises:
        TransitionForbidden, RecordGone: there is nothing to see.
        NotModified: who asks has it already.
    """
    asking(request, SEE)
    found = there(lease_id)
    etags.told(request, response, version_of(found))
    return LeaseAnswer.whole(found)


@router.patch("/{int:lease_id}/", response=LeaseAnswer, url_name="lease")
def change_lease(
    request: HttpRequest, response: HttpResponse, lease_id: int, wish: Annotated[ChangedLease, Body()]
) -> LeaseAnswer:
    """Give a lease another agency or number, and search again: what was known belongs to another path.

    Raises:
        TransitionForbidden, RecordGone, PreconditionMissing, PreconditionFailed, InvalidLease, DuplicateLease: nothing was
            changed.
    """
    user = asking(request, SEE, "leases.change_lease")
    with as_seen(request, lease_id) as seen:
        services.change_lease(
            lease_id=lease_id,
            agency=wish.agency or seen.agency,
            lease_number=seen.lease_number if wish.number is None else wish.number,
            changed_by=user,
        )
    return _saved(response, lease_id)


@router.delete("/{int:lease_id}/", response={HTTPStatus.NO_CONTENT: None}, url_name="lease")
def delete_lease(request: HttpRequest, lease_id: int) -> Status[None]:
    """Delete a lease. What lies in Dropbox stays.

    Raises:
        TransitionForbidden, RecordGone, PreconditionMissing, PreconditionFailed: nothing was deleted.
    """
    user = asking(request, SEE, "leases.delete_lease")
    with as_seen(request, lease_id):
        services.delete_lease(lease_id=lease_id, deleted_by=user)
    return Status(HTTPStatus.NO_CONTENT, None)


@router.post(
    "/{int:lease_id}/run/",
    response={HTTPStatus.ACCEPTED: LeaseAnswer},
    url_name="run_lease",
    openapi_extra={"parameters": [if_match(is_required=False)]},
)
def run_lease(
    request: HttpRequest,
    response: HttpResponse,
    lease_id: int,
    wish: Annotated[WantedRun, Body()] = WantedRun(),  # noqa: B008 - it never changes
) -> Status[LeaseAnswer]:
    """Start a run; its lease tells how it goes.

    An archive is made only for who says which version of the lease is meant: what lies beside it is what that one shows.

    Raises:
        TransitionForbidden, RecordGone, PreconditionMissing, PreconditionFailed, TransitionRefused, ArchivesAreNotMade,
            OnlyReads: nothing was started.
    """
    button = RUNS[wish.what]
    found = _pressed(request, response, lease_id, button, must_say=button is MAKE)
    response["Location"] = here(request, "lease", lease_id)
    return Status(HTTPStatus.ACCEPTED, found)


@router.post("/{int:lease_id}/stop/", response=LeaseAnswer, url_name="stop_lease")
def stop_lease(request: HttpRequest, response: HttpResponse, lease_id: int) -> LeaseAnswer:
    """Stop what is under way. What has been found so far stays.

    Raises:
        TransitionForbidden, RecordGone, PreconditionFailed, TransitionRefused: nothing was stopped.
    """
    return _pressed(request, response, lease_id, STOP, must_say=False)


@router.get("/{int:lease_id}/history/", response=Page[Happened], url_name="lease_history")
def history(
    request: HttpRequest, response: HttpResponse, lease_id: int, wanted: Annotated[Paged, Query()]
) -> Page[Happened]:
    """What has happened to a lease, the newest first, with the evidence.

    Raises:
        TransitionForbidden, RecordGone, CursorUnknown: there is nothing to see.
    """
    asking(request, SEE)
    rows = TransitionLog.objects.of(there(lease_id)).select_related("actor")
    shown = page(
        rows,
        order=["-generation"],
        cursor=wanted.cursor,
        limit=wanted.limit,
        total=wanted.total,
        of=f"{Lease._meta.label_lower}:{lease_id}",
    )
    return shown.shown(Happened.of).told(request, response)


def _pressed(
    request: HttpRequest, response: HttpResponse, lease_id: int, button: Button, *, must_say: bool
) -> LeaseAnswer:
    """The lease once the button was pressed, as the page of it presses it."""
    user = asking(request, SEE, button.right(Lease))
    with as_seen(request, lease_id, must_say=must_say):
        press(button, model=Lease, record_id=lease_id, user=user)
    found = there(lease_id)
    response["ETag"] = version_of(found)
    return LeaseAnswer.whole(found)


def _saved(response: HttpResponse, lease_id: int) -> LeaseAnswer:
    """The lease as it was saved just now, with all that may be wrong with its number."""
    found = there(lease_id)
    response["ETag"] = version_of(found)
    doubts = doubts_about(agency=found.agency, number=found.lease_number, besides=found.pk)
    return LeaseAnswer.whole(found, doubts=doubts)
