"""What is known of archives, for programs. What becomes of failures is said in `api.failures`."""

from datetime import datetime
from typing import Annotated

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from discovery.services.near_number import look_near
from leases.api.shapes import NearArchive

leases = Router()


class NearAnswer(BaseModel):
    """What is known of a number; null: nobody knows without asking Dropbox."""

    agency: str
    number: str
    has_archive: bool | None
    nearest: list[NearArchive] | None
    read_at: datetime | None


@leases.get("/near/", response=NearAnswer, url_name="near_archives")
def near(
    request: HttpRequest,
    agency: Annotated[str, Query(examples=["BLM"])],
    number: Annotated[str, Query(examples=["NMNM 501759"])],
) -> NearAnswer:
    """The archives that come near a number, the nearest first, as the person's own Dropbox was last read.

    Raises:
        PermissionDenied: the person may not see leases.
        UnknownAgency, InvalidLease: there can be no such lease.
    """
    user = request.auth  # type: ignore[attr-defined]  # set by whoever has found out who asks
    if not user.has_perm("leases.view_lease"):
        raise PermissionDenied("You do not have the permission to see leases. Ask an administrator.")
    found = look_near(agency=agency, number=number, user=user)
    nearest = [NearArchive(name=each.name, has_report=each.has_report) for each in found.nearest or ()]
    return NearAnswer(
        agency=found.agency,
        number=found.number,
        has_archive=found.has_archive,
        nearest=None if found.nearest is None else nearest,
        read_at=found.read_at,
    )
