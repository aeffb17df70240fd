"""A body that is read as it comes: no part of it is kept here, neither in memory nor in a file beside its place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from django.http import HttpRequest

from core.base.errors import Refused, RunsheetError
from core.http import uploads
from core.http.transfers import Stalled
from documents import digests
from documents.errors import BodyIncomplete
from documents.places import place

# What is waited for at once, and therefore the pace that is asked for (core.http.transfers).
PIECE_BYTES = 1024 * 1024


class BodyTooSlow(Refused):
    """The body stopped coming, or came more slowly than any line does. Nothing was stored; send it once more."""

    code = "body_too_slow"
    status = HTTPStatus.REQUEST_TIMEOUT


class LengthMissing(Refused):
    """It is not known how long the body is. Nothing was stored; send its Content-Length."""

    code = "length_missing"
    status = HTTPStatus.LENGTH_REQUIRED


class TransferCoded(Refused):
    """The body is compressed on its way, which is not taken. Nothing was stored; send it as it is."""

    code = "transfer_coded"
    status = HTTPStatus.NOT_IMPLEMENTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A body on its way.

    Attributes:
        chunks: its bytes, once. What is wrong with it, also with its end, is raised in the middle of them, so that whoever
            stores all or nothing stores nothing.
        length: in bytes, as whoever sends it says; None: it is known at its end.
        content_type: as it was sent, with its parameters.
        digests: what it is said to hash to, by algorithm; looked at on the way.
    """

    chunks: Iterator[bytes]
    length: int | None
    content_type: str
    digests: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sha256(self) -> str | None:
        """In hexadecimal digits, where it was said."""
        found = self.digests.get("sha-256")
        return found.hex() if found else None


@contextmanager
def received(request: HttpRequest) -> Iterator[Received]:
    """The body of a request that its view reads itself (`core.http.uploads.streamed`).

    Where the body of the `with` fails, what is still on its way is thrown away within bounds: whoever sends reads only then.

    Raises:
        DigestUnreadable, LengthMissing, TransferCoded, TooManyTransfers: nothing was read.
    """
    read, length = _source(request)
    try:
        said = digests.declared(request.headers.get("Content-Digest", ""), request.headers.get("Repr-Digest", ""))
        with place(length) as mine:
            whole = digests.checked(mine.held_for(_pieces(read, length)), said)
            yield Received(chunks=whole, length=length, content_type=request.META.get("CONTENT_TYPE", ""), digests=said)
    except RunsheetError as error:
        if not isinstance(error, BodyIncomplete | BodyTooSlow):
            uploads.throw_away(request, size=uploads.THROWN_AWAY_BYTES, read=read)
        raise


def _source(request: HttpRequest) -> tuple[Callable[[int], bytes], int | None]:
    """How the rest of the body is read, and its length; None: it comes in chunks, whose end the server sees."""
    body = request.META["wsgi.input"]
    coding = request.headers.get("Transfer-Encoding", "")
    if not coding:
        left = length = uploads.announced(request)

        def read(size: int) -> bytes:
            nonlocal left
            piece: bytes = body.read(min(size, left)) if left else b""
            left -= len(piece)
            return piece

        return read, length
    if coding.strip().lower() != "chunked":
        raise TransferCoded
    if not request.META.get("wsgi.input_terminated"):
        raise LengthMissing
    return body.read, None


def _pieces(read: Callable[[int], bytes], length: int | None) -> Iterator[bytes]:
    had = 0
    try:
        while piece := read(PIECE_BYTES):
            had += len(piece)
            yield piece
    except Stalled:
        raise BodyTooSlow(evidence={"bytes": had}) from None
    except OSError as error:
        raise BodyIncomplete(evidence={"bytes": had, "answer": type(error).__name__}) from error
    if length is not None and had < length:
        raise BodyIncomplete(evidence={"bytes": had, "announced": length})
