"""What is told of a file in storage, and bytes that are counted on their way there."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

# What is sent at once, and therefore what a file takes in memory; S3 has at most 10,000 of them in a file.
PIECE_BYTES = 8 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stored(NamedTuple):
    """A file in storage; a tuple, since listings are of many thousands.

    Attributes:
        modified_ns: nanoseconds since 1970.
        etag: changes with the content; without quotation marks, and the same wherever it is told.
        content_type: empty in listings, which do not tell it.
    """

    key: str
    size: int
    modified_ns: int
    etag: str
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What has been put into storage.

    Attributes:
        sha256: of what was sent, in hexadecimal digits.
    """

    key: str
    size: int
    sha256: str


class KeptPart(NamedTuple):
    """A part of a file that comes in several requests.

    Attributes:
        name: by which the back-end finds it again; empty where there is only one place for all of them.
    """

    name: str
    start: int
    size: int


class Measured:
    """Bytes that can be had once, counted and hashed while they pass by."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._hash = sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if chunk:
                self._hash.update(chunk)
                self.size += len(chunk)
                yield chunk

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def nanoseconds(instant: datetime) -> int:
    """Since 1970, without what a floating number would round."""
    past = instant - EPOCH
    return ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds) * 1_000


def begun(content: Generator[bytes]) -> Iterator[bytes]:
    """The rest of what begins with an empty piece, so that it closes what it holds, also where nobody asks for more.

    A generator that was never asked for anything is left without its `finally`.
    """
    next(content)
    return content


def pieces(chunks: Iterable[bytes], *, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """The same bytes, so many at once; the last piece may be shorter, and is empty only if all of it is."""
    kept = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while len(kept) + len(view) > size:
            cut = size - len(kept)
            yield bytes(kept) + view[:cut] if kept else bytes(view[:cut])
            kept.clear()
            view = view[cut:]
        kept += view
    yield bytes(kept)
