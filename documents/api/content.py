"""The bytes of documents, for programs. How they are delivered is said in `documents.serving`."""

from typing import Annotated

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query

from documents import serving
from documents.api.asking import asking, there
from documents.api.router import router
from documents.services.documents import version_of

READ = ["GET", "HEAD"]
A_FILE = "application/octet-stream"
ETAG, BYTES = '"5f2b8c0d"', "bytes=0-65535"
ASKED = (
    ("Range", "The part that is wanted, or several (up to 16); what is no range of bytes is ignored.", BYTES),
    ("If-Range", "The ETag of what is had already; if it is another version by now, all of it comes.", ETAG),
    ("If-None-Match", "The ETag of the version that is known; it is not sent again.", ETAG),
)
PARTS = {
    "parameters": [
        {
            "in": "header",
            "name": name,
            "description": said,
            "required": False,
            "schema": {"type": "string"},
            "example": example,
        }
        for name, said, example in ASKED
    ],
    "responses": {
        200: {
            "description": "The bytes, with their ETag, to be kept.",
            # Makers of clients know no type that stands for all.
            "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in (A_FILE, "*/*")},
        },
        206: {
            "description": "The part of it that Range asks for, or several.",
            "headers": {
                "Content-Range": {
                    "description": "Which part it is, and of how many bytes.",
                    "schema": {"type": "string"},
                }
            },
            "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in (A_FILE, "*/*")},
        },
        302: {"description": "An address at which it can be had for a minute."},
        304: {"description": "Who asks has it already."},
        416: {"description": "It has no such part; Content-Range tells its size."},
    },
}


@router.api_operation(READ, "/{int:document_id}/content/", url_name="document_content", openapi_extra=PARTS)
def content(request: HttpRequest, document_id: int, *, inline: Annotated[bool, Query()] = False) -> HttpResponseBase:
    """The bytes of the current version, or of the parts that Range asks for. `inline`: to be shown, where nothing of it runs.

    Raises:
        PermissionDenied, RecordGone, NotServed, HeldBack, FileAway: there is nothing to be had.
        PreconditionFailed: it is another version by now.
    """
    of = there(asking(request), document_id)
    return serving.answer(request, serving.of(version_of(of, of.current)), inline=inline)


@router.api_operation(
    READ, "/{int:document_id}/versions/{int:number}/content/", url_name="document_version_content", openapi_extra=PARTS
)
def version_content(
    request: HttpRequest, document_id: int, number: int, *, inline: Annotated[bool, Query()] = False
) -> HttpResponseBase:
    """The bytes of any version.

    Raises:
        PermissionDenied, RecordGone, VersionUnknown, NotServed, HeldBack, FileAway: there is nothing to be had.
        PreconditionFailed: it is not that version.
    """
    of = there(asking(request), document_id)
    return serving.answer(request, serving.of(version_of(of, number)), inline=inline)
