"""Many documents at once as one archive, for programs."""

from typing import Annotated, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query
from pydantic import BaseModel, Field

from api.shapes import Key
from documents import bundles
from documents.api.asking import asking
from documents.api.router import router

# What an address has room for.
AT_MOST: Final = 300
ARCHIVE = {
    "responses": {
        200: {
            "description": "A ZIP archive. Documents-Left-Out tells how many are not in it; “Left out.txt” inside says which, and why.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
    }
}


class Chosen(BaseModel):
    """Which documents.

    Attributes:
        ids: their numbers; what is named twice comes once.
    """

    ids: Annotated[list[Key], Field(min_length=1, max_length=AT_MOST)]


@router.get("/download/", url_name="documents_download", openapi_extra=ARCHIVE)
def download(request: HttpRequest, wanted: Annotated[Chosen, Query()]) -> HttpResponseBase:
    """The current versions of many documents as one archive, `ids=1&ids=2`. What is held back, or not there, is told inside.

    Raises:
        PermissionDenied, NothingToDownload, TooManyTransfers: there is no archive.
    """
    return bundles.answer(bundles.bundle(by=asking(request), document_ids=wanted.ids))
