"""A file on its way to whoever may have it; who may is asked before.

By the setting DOCUMENTS_DELIVERY the bytes come from here, from the web server in front of us, or from where they lie.
Nothing that a browser would run is ever shown: it is kept, and neither has rights of this site nor is called what it is.
"""

import re
import secrets
import unicodedata
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from core.base.errors import Permanent, Refused
from documents import ranges
from documents.ranges import Part
from storage.backends import documents
from storage.backends.errors import NotFound
from storage.backends.gateway import CONTENT_TYPE
from storage.backends.stored import begun

STREAM, INTERNAL, SIGNED = "stream", "internal", "signed"
# What a browser shows without running anything of it; the rest is kept, whatever is asked.
SHOWN = {
    "application/pdf": "application/pdf",
    "image/gif": "image/gif",
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/webp": "image/webp",
    "text/plain": "text/plain; charset=utf-8",
}
# What it would run, or what may name something to run: that is not even called what it is.
RUN = re.compile(r"html|xml|svg|script|flash|java|mhtml|multipart|rfc822|wasm|cache-manifest|event-stream")
TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
SIGNED_S = 60
PIECE_BYTES = 256 * 1024
NAME_AT_MOST = 200


class FileAway(Refused):
    """The file of this document is not in storage at the moment. Ask an administrator to put it back."""

    code = "file_away"
    status = HTTPStatus.NOT_FOUND


class FileCutShort(Permanent):
    """A file in storage ends earlier than it should, so the answer with it was broken off."""

    code = "file_cut_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of one version, which never change.

    Attributes:
        key: in storage.
        sha256: in hexadecimal digits; tells versions apart.
    """

    key: str
    name: str
    size: int
    sha256: str
    mime_type: str
    modified_at: datetime

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


def answer(request: HttpRequest, content: Content, *, inline: bool = False) -> HttpResponseBase:
    """The file, or that part of it which is asked for, or that nothing has changed.

    Args:
        inline: to be shown, if it is what a browser only shows.

    Raises:
        FileAway: it is not in storage.
        PreconditionFailed, RangeRefused: as the headers of the request have it.
    """
    is_shown = inline and content.mime_type in SHOWN
    headers = _headers(content, is_shown=is_shown)
    told = get_conditional_response(
        request,
        etag=content.etag,
        last_modified=int(content.modified_at.timestamp()),
        response=HttpResponse(headers=headers),
    )
    if told is not None and told.status_code != HTTPStatus.OK:
        return told
    delivery = settings.DOCUMENTS_DELIVERY
    if delivery == INTERNAL:
        return _handed_over(content, headers)
    if delivery == SIGNED and request.method == "GET" and not is_shown:
        return _elsewhere(content)
    return _streamed(request, content, headers)


def _headers(content: Content, *, is_shown: bool) -> dict[str, str]:
    return {
        "Content-Type": SHOWN[content.mime_type] if is_shown else _kept_as(content.mime_type),
        "Content-Disposition": content_disposition_header(as_attachment=not is_shown, filename=file_name(content.name))
        or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        # Everybody's right is asked anew each time; and who compresses it on the way changes which part is which.
        "Cache-Control": "private, no-cache, no-transform",
        "Accept-Ranges": "bytes",
        "ETag": content.etag,
        "Last-Modified": http_date(content.modified_at.timestamp()),
        "Repr-Digest": f"sha-256=:{_base64(content.sha256)}:",
    }


def file_name(name: str) -> str:
    """Under which the file is kept: without what would end a header, name a folder, or turn the direction of writing."""
    plain = "".join("_" if each in '/\\:*?"<>|' or unicodedata.category(each)[0] == "C" else each for each in name)
    return plain.strip(" .")[-NAME_AT_MOST:].lstrip(" .") or "file"
