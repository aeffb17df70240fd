"""Bytes come in, for programs: as the whole body, or as the last part of a form. Nothing of them is kept on the way."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Status
from pydantic import BaseModel, Field

from api import etags
from api.errors import PreconditionFailed
from api.shapes import Key, Text
from documents import multipart
from documents.api.asking import asking, beside, here, saved, there
from documents.api.router import router
from documents.api.shapes import DocumentAnswer
from documents.names import WHY_AT_MOST, read_lease, read_metadata
from documents.receiving import received
from documents.services import uploads
from statemachine.errors import Stale

# Whose bodies may be of any size, since they are read piece by piece: by the names of the addresses (core.interface).
STREAMED: Mapping[str, tuple[str, ...]] = {
    "documents": ("POST",),
    "upload_document": ("PUT",),
    "document_versions": ("PUT",),
    "tus_uploads": ("POST",),
    "tus_version_uploads": ("POST",),
    "tus_upload": ("PATCH", "POST"),
}
# What clients say that know nothing.
NOTHING_SAID = {"application/octet-stream", "application/x-www-form-urlencoded"}
OF_A_FORM = ("name", "metadata", "lease", "why")
AN_EXAMPLE = "%PDF-1.7\n%%EOF\n"
BYTES: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file. Content-Type may say any type.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}, "example": AN_EXAMPLE}
        },
    }
}
FORM: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A form whose last part is the file.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "name": {"type": "string", "description": "Else the file's own."},
                        "metadata": {"type": "string", "description": "An object in JSON."},
                        "lease": {"type": "string", "description": "The number of a lease."},
                        "why": {"type": "string"},
                        "file": {"type": "string", "format": "binary"},
                    },
                },
                "example": {
                    "name": "Deed of 1907.pdf",
                    "metadata": '{"book": 12}',
                    "why": "from the clerk",
                    "file": AN_EXAMPLE,
                },
            }
        },
    }
}


class NewFile(BaseModel):
    """What is said of the bytes beside them.

    Attributes:
        lease: the number of the lease that the document is to belong to.
        why: in somebody's words.
    """

    name: Annotated[Text, Field(max_length=1_000)]
    lease: Key | None = None
    why: Annotated[Text, Field(max_length=WHY_AT_MOST)] = ""


class NewVersion(BaseModel):
    """What is said of another version.

    Attributes:
        name: empty: as the document is called.
    """

    name: Annotated[Text, Field(max_length=1_000)] = ""
    why: Annotated[Text, Field(max_length=WHY_AT_MOST)] = ""


@router.put(
    "/upload/",
    response={HTTPStatus.CREATED: DocumentAnswer},
    url_name="upload_document",
    openapi_extra=dict(BYTES),
)
def upload(request: HttpRequest, response: HttpResponse, said: Annotated[NewFile, Query()]) -> Status[DocumentAnswer]:
    """Make a document of the body, which may be of any size; then it is verified by itself.

    Its Content-Type is what the file is said to be; what Content-Digest or Repr-Digest say of it is looked at.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
        Refused: see `documents.receiving` and `documents.services.uploads.store`; nothing was kept.
    """
    user = asking(request)
    with received(request) as body:
        made = uploads.store(
            by=user,
            name=said.name,
            chunks=body.chunks,
            length=body.length,
            declared_type=_type_of(body.content_type),
            lease_id=said.lease,
            sha256=body.sha256,
            why=said.why,
        )
    return _made(request, response, made.pk)


@router.post("/", response={HTTPStatus.CREATED: DocumentAnswer}, url_name="documents", openapi_extra=dict(FORM))
def upload_form(request: HttpRequest, response: HttpResponse) -> Status[DocumentAnswer]:
    """Make a document of a form (multipart/form-data) whose last part is the file; then it is verified by itself.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
        Refused: see `documents.multipart` and `documents.services.uploads.store`; nothing was kept.
    """
    user = asking(request)
    with received(request) as body:
        form = multipart.form(body)
        if unknown := sorted(set(form.fields) - set(OF_A_FORM)):
            raise multipart.FormUnreadable(f"There is no field “{unknown[0][:50]}”. Nothing was stored.")
        made = uploads.store(
            by=user,
            name=form.fields.get("name") or form.name,
            chunks=form.chunks,
            length=None,
            declared_type=_type_of(form.content_type),
            lease_id=read_lease(form.fields.get("lease", "")),
            metadata=read_metadata(form.fields.get("metadata", "")),
            sha256=form.sha256,
            why=form.fields.get("why", ""),
        )
    return _made(request, response, made.pk)


@router.put(
    "/{int:document_id}/versions/",
    response={HTTPStatus.CREATED: DocumentAnswer},
    url_name="document_versions",
    openapi_extra=dict(BYTES),
)
def upload_version(
    request: HttpRequest, response: HttpResponse, document_id: int, said: Annotated[NewVersion, Query()]
) -> Status[DocumentAnswer]:
    """Give a document another version, which is the body; it is the current one from now on, and verified by itself.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was kept.
        Refused: see `documents.receiving` and `documents.services.uploads.add_version`; nothing was kept.
    """
    user = asking(request)
    with received(request) as body:
        document = there(user, document_id)
        etags.require_match(request, document, *beside(document))
        try:
            uploads.add_version(
                document_id=document_id,
                by=user,
                name=said.name or None,
                chunks=body.chunks,
                length=body.length,
                declared_type=_type_of(body.content_type),
                sha256=body.sha256,
                why=said.why,
                generation=document.generation,
            )
        except Stale as error:  # while the bytes came
            raise PreconditionFailed(str(error)) from error
    return _made(request, response, document_id)


def _made(request: HttpRequest, response: HttpResponse, document_id: int) -> Status[DocumentAnswer]:
    response["Location"] = here(request, "document", document_id)
    return Status(HTTPStatus.CREATED, saved(request, response, asking(request), document_id))


def _type_of(said: str) -> str:
    kind = said.partition(";")[0].strip().lower()
    return "" if kind in NOTHING_SAID else kind
