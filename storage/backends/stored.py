"""What is told of a file in storage, and bytes that are counted on their way there."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from queue import Queue
from threading import Thread
from typing import BinaryIO, NamedTuple

# What is sent at once, and therefore what a file takes in memory; S3 has at most 10,000 of them in a file.
PIECE_BYTES = 8 * 1024 * 1024
# What is smaller is hashed before a thread would have begun; and so many chunks wait for it at most.
BESIDE_FROM_BYTES = 1024 * 1024
WAIT_AT_MOST = 4
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
    """Bytes that can be had once, counted and hashed while they pass by; of what is large another thread makes the checksum."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._hash = sha256()
        self.size = 0

    def __iter__(self) -> Generator[bytes]:
        """Ends the thread, also where it is closed before the end."""
        with ExitStack() as stack:
            update: Callable[[bytes], None] = self._hash.update
            for chunk in self._chunks:
                if not chunk:
                    continue
                if self.size <= BESIDE_FROM_BYTES < self.size + len(chunk):
                    update = stack.enter_context(_beside(update))
                update(chunk)
                self.size += len(chunk)
                yield chunk

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def _beside(act: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """The same, done by another thread in the order of the calls; all of it is done when the body ends."""
    waiting: Queue[bytes | None] = Queue(maxsize=WAIT_AT_MOST)

    def work() -> None:
        while (chunk := waiting.get()) is not None:
            act(chunk)

    thread = Thread(target=work, name="checksums")
    thread.start()
    try:
        yield waiting.put
    finally:
        waiting.put(None)
        thread.join()


def nanoseconds(instant: datetime) -> int:
    """Since 1970, without what a floating number would round."""
    past = instant - EPOCH
    return ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds) * 1_000


class OnDisk(Iterator[bytes]):
    """A file of this machine in pieces.

    Attributes:
        file: where it stands, the next piece begins, so that whoever can send a file as it is may move it on.
    """

    def __init__(self, file: BinaryIO, pieces: Generator[bytes]) -> None:
        self.file = file
        self._pieces = pieces

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces.close()


def begun(content: Generator[bytes]) -> Generator[bytes]:
    """The rest of what begins with an empty piece, so that it closes what it holds, also where nobody asks for more.

    A generator that was never asked for anything is left without its `finally`.
    """
    next(content)
    return content


def pieces(chunks: Iterable[bytes], *, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """The same bytes, so many at once; the last piece may be shorter, and is empty only if all of it is."""
    kept = bytearray()
    is_empty = True
    for chunk in chunks:
        view = memoryview(chunk)
        while len(kept) + len(view) >= size:
            cut = size - len(kept)
            is_empty = False
            yield _joined(kept, view[:cut]) if kept else bytes(view[:cut]) if cut < len(chunk) else chunk
            kept.clear()
            view = view[cut:]
        kept += view
    if kept or is_empty:
        yield bytes(kept)


def _joined(kept: bytearray, more: memoryview) -> bytes:
    kept += more
    return bytes(kept)
