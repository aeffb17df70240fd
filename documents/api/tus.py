"""Uploads that go on where they have broken off, for programs: tus 1.0, as uppy, tus-js-client and tuspy speak it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from ninja import Router

from api import etags
from api.errors import PreconditionFailed
from core.base.errors import RunsheetError
from documents import tus
from documents.api.asking import asking, beside, here, there
from documents.models import PartialUpload, Stage
from documents.receiving import Received, received
from documents.services import finishing, partial
from documents.services.partial import Told
from statemachine.errors import Stale

# Not in the description: it is headers that say everything, and clients of tus know these.
router = Router()
type View = Callable[..., Any]
OVERRIDES = ("PATCH", "DELETE")


def speaking_tus(run: View) -> View:
    """Whatever is answered says which tus it speaks, refusals too."""

    @wraps(run)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> Any:
        answer = run(request, *given, **values)
        answer["Tus-Resumable"] = tus.VERSION
        if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            answer["Tus-Version"] = tus.VERSION
        return answer

    return answered


router.add_decorator(speaking_tus, mode="view")


@router.api_operation(["OPTIONS"], "/tus/", url_name="tus_uploads", include_in_schema=False)
def abilities(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    """What of tus is spoken here."""
    return _answer(
        {
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(settings.DOCUMENTS_LARGEST_BYTES),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
    )


@router.post("/tus/", url_name="tus_uploads", include_in_schema=False)
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an upload of a document, also with its first bytes.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
        Refused: see `documents.tus` and `documents.services.partial.begin`; nothing was kept.
    """
    user = asking(request)
    _require_version(request)
    told, length = _told(request), tus.number(request.headers, "Upload-Length")
    return _created(request, user, partial.begin(by=user, length=length, told=told))


@router.post("/{int:document_id}/versions/tus/", url_name="tus_version_uploads", include_in_schema=False)
def begin_version(request: HttpRequest, document_id: int) -> HttpResponse:
    """Begin an upload of another version of a document, also with its first bytes.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was kept.
        Refused: see `documents.tus` and `documents.services.partial.begin_version`; nothing was kept.
    """
    user = asking(request)
    document = there(user, document_id)
    _require_version(request)
    told, length = _told(request), tus.number(request.headers, "Upload-Length")
    etags.require_match(request, document, *beside(document))
    try:
        begun = partial.begin_version(
            document_id=document_id, by=user, length=length, told=told, generation=document.generation
        )
    except Stale as error:
        raise PreconditionFailed(str(error)) from error
    return _created(request, user, begun)


@router.api_operation(["HEAD"], "/tus/{uuid:partial_id}/", url_name="tus_upload", include_in_schema=False)
def standing(request: HttpRequest, partial_id: UUID) -> HttpResponse:
    """How far an upload has come.

    Raises:
        PermissionDenied, UploadUnknown, UploadOver, TusVersion: there is none.
    """
    found = partial.of(upload_id=partial_id, by=asking(request))
    _require_version(request)
    sent = {"Upload-Metadata": found.metadata_sent} if found.metadata_sent else {}
    said = {"Upload-Length": str(found.length), "Cache-Control": "no-store", **sent}
    return _answer(_so_far(request, found) | said, status=HTTPStatus.OK)


@router.patch("/tus/{uuid:partial_id}/", url_name="tus_upload", include_in_schema=False)
def go_on(request: HttpRequest, partial_id: UUID) -> HttpResponse:
    """Go on with an upload. With its last byte the document is made, and verified by itself.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
        Refused: see `documents.tus` and `documents.services.partial.append`.
    """
    user = asking(request)
    _require_version(request)
    offset = tus.number(request.headers, "Upload-Offset")
    with received(request) as body:
        found = _received(request, user, partial_id, offset=offset, body=body)
    return _answer(_so_far(request, found))


@router.delete("/tus/{uuid:partial_id}/", url_name="tus_upload", include_in_schema=False)
def end(request: HttpRequest, partial_id: UUID) -> HttpResponse:
    """Let go of an upload, of its room, and of what was kept of it.

    Raises:
        PermissionDenied, UploadUnknown, UploadOver, UploadDone, TusVersion: there is nothing to let go of.
    """
    user = asking(request)
    _require_version(request)
    partial.end(upload_id=partial_id, by=user)
    return _answer({})


@router.post("/tus/{uuid:partial_id}/", url_name="tus_upload", include_in_schema=False)
def otherwise(request: HttpRequest, partial_id: UUID) -> HttpResponse:
    """What is sent by clients behind whom somebody lets neither PATCH nor DELETE through.

    Raises:
        TusHeader: it is something else.
        Refused: as these.
    """
    asking(request)
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method not in OVERRIDES:
        raise tus.TusHeader(
            f"Say by X-HTTP-Method-Override which is meant: {' or '.join(OVERRIDES)}. Nothing was done."
        )
    return go_on(request, partial_id) if method == "PATCH" else end(request, partial_id)


def _require_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable", "").strip() != tus.VERSION:
        raise tus.TusVersion


def _told(request: HttpRequest) -> Told:
    said = tus.metadata(request.headers.get("Upload-Metadata", ""))
    return Told(
        name=said.name,
        declared_type=said.declared_type,
        why=said.why,
        lease_id=said.lease_id,
        metadata=said.metadata,
        sha256=said.sha256,
        as_sent=said.as_sent,
    )


def _created(request: HttpRequest, user: User, begun: PartialUpload) -> HttpResponse:
    """The address of an upload, and how far it has come with what was sent along.

    What is wrong with that is told as it is for all other bytes, and the upload is let go.
    """
    if request.content_type != tus.BYTES:
        begun = _finished(begun)
    else:
        try:
            with received(request) as body:
                begun = _received(request, user, begun.pk, offset=0, body=body)
        except RunsheetError:
            begun.refresh_from_db()
            if begun.stage == Stage.OVER or not begun.received:
                partial.give_up(begun)
                raise
    there = {"Location": here(request, "tus_upload", str(begun.pk))}
    return _answer(_so_far(request, begun) | there, status=HTTPStatus.CREATED)


def _received(request: HttpRequest, user: User, upload_id: UUID, *, offset: int, body: Received) -> PartialUpload:
    """The upload with these bytes; and with its version, if they were the last."""
    is_empty = body.length == 0
    if request.content_type != tus.BYTES and not is_empty:
        raise tus.TusBody
    said = tus.checksum(request.headers.get("Upload-Checksum", ""))
    found = partial.append(
        upload_id=upload_id,
        by=user,
        offset=offset,
        chunks=said.over(body.chunks) if said else body.chunks,
        length=body.length,
        is_checked=bool(said or body.digests),
    )
    return _finished(found)


def _finished(found: PartialUpload) -> PartialUpload:
    """The same with its version, if all of it is there."""
    if found.stage == Stage.ARRIVED:
        finishing.finish(found.pk)
        found.refresh_from_db()
    return found


def _so_far(request: HttpRequest, found: PartialUpload) -> dict[str, str]:
    said = {"Upload-Offset": str(found.received)}
    if found.stage == Stage.RECEIVING:
        said["Upload-Expires"] = http_date(found.expires_at.timestamp())
    if found.document_id:
        said["Upload-Document"] = here(request, "document", found.document_id)
    return said


def _answer(headers: dict[str, str], *, status: HTTPStatus = HTTPStatus.NO_CONTENT) -> HttpResponse:
    return HttpResponse(status=status, headers=headers)
