"""What is done with a document, for programs: by the services that the buttons of its page call."""

from http import HTTPStatus
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Body
from ninja import Status as Answered
from pydantic import ConfigDict, Field

from api.shapes import Said, Text
from documents.api.asking import as_seen, as_seen_before, here, saved
from documents.api.router import router
from documents.api.shapes import DocumentAnswer
from documents.names import WHY_AT_MOST
from documents.services import documents, ways_back
from documents.services.documents import CHECKED_OUT_AT_MOST_H, CHECKED_OUT_H

OWED = {HTTPStatus.OK: DocumentAnswer, HTTPStatus.ACCEPTED: DocumentAnswer}


class CheckOut(Said):
    """For how long one has it to oneself.

    Attributes:
        hours: whoever comes again prolongs it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"hours": 2}]})

    hours: Annotated[int, Field(ge=1, le=CHECKED_OUT_AT_MOST_H)] = CHECKED_OUT_H


class Why(Said):
    """Why, in somebody's words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "the scan of the clerk is better"}]})

    why: Annotated[Text, Field(max_length=WHY_AT_MOST)] = ""


@router.post("/{int:document_id}/archive/", response=DocumentAnswer, url_name="archive_document")
def archive(request: HttpRequest, response: HttpResponse, document_id: int) -> DocumentAnswer:
    """Take it out of sight; nothing of it is deleted.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.archive`.
    """
    with as_seen(request, document_id) as user:
        documents.archive(document_id=document_id, by=user)
    return saved(request, response, user, document_id)


@router.post("/{int:document_id}/restore/", response=OWED, url_name="restore_document")
def restore(request: HttpRequest, response: HttpResponse, document_id: int) -> Answered[DocumentAnswer]:
    """Bring an archived one back, also one that was to be purged. 202: it is verified first.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.restore`.
    """
    with as_seen(request, document_id) as user:
        documents.restore(document_id=document_id, by=user)
    return _owed(request, response, saved(request, response, user, document_id))


@router.post("/{int:document_id}/verify/", response=OWED, url_name="verify_document")
def verify(request: HttpRequest, response: HttpResponse, document_id: int) -> Answered[DocumentAnswer]:
    """Have it looked at once more, as when it has the status “error” and its file is back.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.verify`.
    """
    with as_seen(request, document_id) as user:
        documents.verify(document_id=document_id, by=user)
    return _owed(request, response, saved(request, response, user, document_id))


@router.post("/{int:document_id}/take-changed/", response=OWED, url_name="take_changed_document")
def take_changed(request: HttpRequest, response: HttpResponse, document_id: int) -> Answered[DocumentAnswer]:
    """Keep what somebody has laid in the place of its file in storage, as a new version, where it is in error for that.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.ways_back.take_changed`.
    """
    user, generation = as_seen_before(request, document_id)
    ways_back.take_changed(document_id=document_id, by=user, generation=generation)
    return _owed(request, response, saved(request, response, user, document_id))


@router.post("/{int:document_id}/bring-back/", response=OWED, url_name="bring_back_document")
def bring_back(request: HttpRequest, response: HttpResponse, document_id: int) -> Answered[DocumentAnswer]:
    """Put the bytes of its current version back in their place, from another version that has the same; what lies there is gone then.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.ways_back.bring_back`.
    """
    user, generation = as_seen_before(request, document_id)
    ways_back.bring_back(document_id=document_id, by=user, generation=generation)
    return _owed(request, response, saved(request, response, user, document_id))


@router.post("/{int:document_id}/purge/", response=DocumentAnswer, url_name="purge_document")
def purge(request: HttpRequest, response: HttpResponse, document_id: int) -> DocumentAnswer:
    """Let an archived one be deleted for good, with all its versions, once its grace is over (`purge_at`).

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.purge`.
    """
    with as_seen(request, document_id) as user:
        documents.purge(document_id=document_id, by=user)
    return saved(request, response, user, document_id)


@router.post("/{int:document_id}/check-out/", response=DocumentAnswer, url_name="check_out_document")
def check_out(
    request: HttpRequest,
    response: HttpResponse,
    document_id: int,
    wish: Annotated[CheckOut, Body()] = CheckOut(),  # noqa: B008 - it never changes
) -> DocumentAnswer:
    """Have it to oneself for some hours: nobody else can change it meanwhile.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.check_out`.
    """
    with as_seen(request, document_id) as user:
        documents.check_out(document_id=document_id, by=user, hours=wish.hours)
    return saved(request, response, user, document_id)


@router.post("/{int:document_id}/check-in/", response=DocumentAnswer, url_name="check_in_document")
def check_in(request: HttpRequest, response: HttpResponse, document_id: int) -> DocumentAnswer:
    """Let others change it again.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.check_in`.
    """
    with as_seen(request, document_id) as user:
        documents.check_in(document_id=document_id, by=user)
    return saved(request, response, user, document_id)


@router.post("/{int:document_id}/versions/{int:number}/restore/", response=OWED, url_name="restore_document_version")
def restore_version(
    request: HttpRequest,
    response: HttpResponse,
    document_id: int,
    number: int,
    wish: Annotated[Why, Body()] = Why(),  # noqa: B008 - it never changes
) -> Answered[DocumentAnswer]:
    """Let an earlier version be the current one again, as a new version with the same bytes, which is verified once more.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.restore_version`.
    """
    with as_seen(request, document_id) as user:
        documents.restore_version(document_id=document_id, number=number, by=user, why=wish.why)
    return _owed(request, response, saved(request, response, user, document_id))


def _owed(request: HttpRequest, response: HttpResponse, found: DocumentAnswer) -> Answered[DocumentAnswer]:
    """202 with where to look, as long as it is being verified."""
    if found.status != "pending":
        return Answered(HTTPStatus.OK, found)
    response["Location"] = here(request, "document", found.id)
    return Answered(HTTPStatus.ACCEPTED, found)
