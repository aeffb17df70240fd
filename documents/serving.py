"""A file on its way to whoever may have it; who may is asked before.

By the setting DOCUMENTS_DELIVERY the bytes come from here, from the web server in front of us, or from where they lie.
Nothing that a browser would run is ever shown: it is kept, and neither has rights of this site nor is called what it is.
"""

import re
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from api.errors import PreconditionFailed
from core.base.dispositions import disposition
from core.base.errors import Permanent, Refused
from core.http import problems
from core.http.transfers import LINE, Line
from documents import ranges
from documents.models import DocumentVersion
from documents.places import place
from documents.ranges import Part, RangeRefused
from storage.backends import documents
from storage.backends.errors import Denied, Exists, NotFound
from storage.backends.gateway import CONTENT_TYPE
from storage.backends.stored import OnDisk, begun

STREAM, INTERNAL, SIGNED = "stream", "internal", "signed"
# What a browser shows without running anything of it; the rest is kept, whatever is asked. In a sandbox, as everything is,
# not every browser shows a PDF.
SHOWN = {
    "image/gif": "image/gif",
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/webp": "image/webp",
    "text/plain": "text/plain; charset=utf-8",
}
# What it would run, or what may name something to run: that is not even called what it is.
RUN = re.compile(r"html|[/+]xml|/xsl|/svg|script|flash|/java|multipart/|message/|wasm|cache-manifest|event-stream")
TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
# What an answer says, too, that there is nothing new.
REPEATED = ("Cache-Control", "ETag", "Last-Modified")
SIGNED_S = 60
NAME_AT_MOST = 200
# Of Windows, and of whoever puts a name into a folder.
NO_NAME_HAS = '/\\:*?"<>|'
# Some scripts need them; they are seen by what they join.
JOINERS = "\u200c\u200d"


class FileAway(Refused):
    """The file of this document is not in storage at the moment. Ask an administrator to put it back."""

    code = "file_away"
    status = HTTPStatus.NOT_FOUND


class FileCutShort(Permanent):
    """A file in storage ends earlier than it should, so the answer with it was broken off."""

    code = "file_cut_short"
    words = "file ends too early"
    advice = "Verify the document again; it tells what has become of its file"


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


def of(version: DocumentVersion) -> Content:
    """The bytes of a version, if it may be handed out.

    Raises:
        NotServed, HeldBack: it may not.
    """
    version.require_served()
    return Content(
        key=version.key,
        name=version.name,
        size=version.size,
        sha256=version.sha256,
        mime_type=version.mime_type,
        modified_at=version.created_at,
    )


def answer(
    request: HttpRequest, content: Content, *, inline: bool = False, is_counted: bool = False
) -> HttpResponseBase:
    """The file, or that part of it which is asked for, or that nothing has changed.

    Args:
        inline: to be shown, if it is what a browser only shows.
        is_counted: how often it goes is counted here, so that it is not to be had elsewhere.

    Raises:
        FileAway: it is not in storage.
        TooManyTransfers: there is no thread for it.
        PreconditionFailed: it is not the version that is asked for.
    """
    is_shown = inline and content.mime_type in SHOWN
    headers = _headers(content, is_shown=is_shown)
    told = get_conditional_response(
        request, etag=content.etag, last_modified=int(content.modified_at.timestamp()), response=None
    )
    if told is not None and told.status_code == HTTPStatus.PRECONDITION_FAILED:
        raise PreconditionFailed
    if told is not None:
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={each: headers[each] for each in REPEATED})
    delivery = settings.DOCUMENTS_DELIVERY
    if delivery == INTERNAL:
        return _handed_over(content, headers)
    if delivery == SIGNED and request.method == "GET" and not is_shown and not is_counted:
        return _elsewhere(content)
    return _streamed(request, content, headers)


def _headers(content: Content, *, is_shown: bool) -> dict[str, str]:
    return {
        "Content-Type": SHOWN[content.mime_type] if is_shown else _kept_as(content.mime_type),
        "Content-Disposition": disposition(file_name(content.name), is_shown=is_shown),
        "Content-Security-Policy": "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
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
    plain = "".join("_" if _is_unsafe(each) else each for each in name)
    return plain.strip(" .")[-NAME_AT_MOST:].lstrip(" .") or "file"


def _is_unsafe(character: str) -> bool:
    is_invisible = unicodedata.category(character)[0] == "C" and character not in JOINERS
    return is_invisible or character in NO_NAME_HAS


def _kept_as(mime_type: str) -> str:
    known = TYPE.fullmatch(mime_type.lower())
    return mime_type.lower() if known and not RUN.search(mime_type.lower()) else CONTENT_TYPE


def _base64(hexadecimal: str) -> str:
    return b64encode(bytes.fromhex(hexadecimal)).decode()


def _handed_over(content: Content, headers: dict[str, str]) -> HttpResponse:
    """Nothing but where it lies: the web server reads this, and sends the file in its place."""
    place = f"{settings.DOCUMENTS_INTERNAL_PREFIX}{quote(content.key)}"
    return HttpResponse(headers={**headers, settings.DOCUMENTS_INTERNAL_HEADER: place})


def _elsewhere(content: Content) -> HttpResponse:
    """An address at which it can be had for a minute, always to be kept."""
    with _away(content):
        documents().stat(content.key)
    address = documents().sign(content.key, seconds=SIGNED_S, name=file_name(content.name))
    return HttpResponseRedirect(address, headers={"Cache-Control": "no-store"})


def _streamed(request: HttpRequest, content: Content, headers: dict[str, str]) -> HttpResponseBase:
    whole = Part(0, content.size)
    if request.method == "HEAD":
        with _away(content):
            documents().stat(content.key)
        return HttpResponse(headers={**headers, "Content-Length": str(content.size)})
    try:
        parts = wanted(request, content)
    except RangeRefused as refused:
        there = {"Content-Range": f"bytes */{content.size}", "Accept-Ranges": "bytes"}
        return problems.problem(status=refused.status, code=refused.code, detail=str(refused), headers=there)
    if len(parts) > 1:
        return _of_several(content, parts, headers)
    part = parts[0] if parts else whole
    lengths = {"Content-Length": str(part.length), **({"Content-Range": part.of(content.size)} if parts else {})}
    return StreamingHttpResponse(
        begun(_placed(_bytes_of(content, part, line=request.META.get(LINE)), size=part.length)),
        status=HTTPStatus.PARTIAL_CONTENT if parts else HTTPStatus.OK,
        headers={**headers, **lengths},
    )


def _of_several(content: Content, parts: tuple[Part, ...], headers: dict[str, str]) -> HttpResponseBase:
    boundary = secrets.token_hex(16)
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {headers['Content-Type']}\r\n"
        f"Content-Range: {part.of(content.size)}\r\n\r\n".encode()
        for part in parts
    ]
    end = f"\r\n--{boundary}--\r\n".encode()

    def pieces() -> Generator[bytes]:
        with closing(_bytes_of(content, parts[0])) as first:
            yield next(first)
            yield heads[0]
            yield from first
        for head, part in zip(heads[1:], parts[1:], strict=True):
            yield head
            with closing(_bytes_of(content, part)) as others:
                yield from others
        yield end

    length = sum(map(len, heads)) + sum(part.length for part in parts) + len(end)
    said = {"Content-Type": f"multipart/byteranges; boundary={boundary}", "Content-Length": str(length)}
    return StreamingHttpResponse(
        begun(_placed(pieces(), size=length)), status=HTTPStatus.PARTIAL_CONTENT, headers={**headers, **said}
    )


def _placed(pieces: Generator[bytes], *, size: int) -> Generator[bytes]:
    """The same pieces, as long as they have a place.

    Raises:
        TooManyTransfers: before the first of them, or once a slow one has taken too long.
    """
    with place(size) as mine, closing(pieces):
        yield from mine.held_for(pieces)


def wanted(request: HttpRequest, content: Content) -> tuple[Part, ...]:
    """The parts that are asked for; none: all of it, as where what is had already is of another version.

    Raises:
        RangeRefused: there is no such part.
    """
    condition = request.headers.get("If-Range", "").strip()
    # A time does not tell versions of one second apart, so that it never proves that it is the same one.
    if "Range" not in request.headers or (condition and condition != content.etag):
        return ()
    return ranges.wanted(request.headers["Range"], size=content.size)


def _bytes_of(content: Content, part: Part, *, line: Line | None = None) -> Generator[bytes]:
    """Begins with an empty piece, by which it is known that the file is there.

    Args:
        line: over which these bytes go, and no others: what is large goes straight from the disk, with empty pieces in its place.

    Raises:
        FileAway: it is not.
        FileCutShort: it ends too early; that is too late to say so, so the connection has to end.
    """
    with _away(content):
        found = documents().stream(content.key, start=part.start, end=part.end)
    left = part.length
    try:
        yield b""
        for piece in found:
            left -= len(piece)
            yield piece
            if line and isinstance(found, OnDisk) and line.has_sent(part.length - left):
                for went in line.send(found.file, left):
                    left -= went
                    yield b""
    finally:
        if close := getattr(found, "close", None):
            close()
    if left:
        raise FileCutShort(evidence={"key": content.key, "missing_bytes": left})


def whole(content: Content) -> Generator[bytes]:
    """All bytes of a file.

    Raises:
        FileAway, FileCutShort: it is not there as it should be.
    """
    return _bytes_of(content, Part(0, content.size))


@contextmanager
def _away(content: Content) -> Iterator[None]:
    try:
        yield
    except (NotFound, Denied, Exists) as error:  # also where a symbolic link or a file stands in its way
        raise FileAway(evidence={"key": content.key, "answer": str(error)}) from error
