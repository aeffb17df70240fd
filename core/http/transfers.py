"""Bodies that may take as long as they need, as long as they move: what a request brings, and what an answer takes away.

A thread that waits for a client is told from one that hangs. Whoever stops sending or reading, or is slower than anybody's line,
loses the connection; the process goes on. It is `gunicorn.conf.py` that looks (`end_stalled`) and `core.wsgi` that lets it know.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from socket import SHUT_RD, SHUT_RDWR, socket
from typing import Any, BinaryIO

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.wsgi import Response

# So long nothing may come or go at all; and whatever is waited for as a whole moves at least so fast.
STALLS_S = 30
HURRIED_S = 3
SLOWEST_BYTES_PER_S = 8 * 1024
# Who asks for so much at once means to have all of a large body.
LARGE_BYTES = 256 * 1024
# So much goes out of a file at once; and what is said of a file that cannot go so.
STRAIGHT_BYTES = 1024 * 1024
NOT_STRAIGHT = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
# So much of a body that nobody wanted is taken, so that its sender reads the answer.
UNWANTED_BYTES = 1024 * 1024
# Where a view finds the connection of its request.
LINE = "runsheet.line"

type Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Stalled(TimeoutError):
    """The client stopped sending, or sent more slowly than any line does."""


@dataclass(slots=True)
class Waiting:
    """A thread that waits for its client.

    Attributes:
        until: by the process's clock.
        how: which way of the connection is closed when that is over.
        is_over: it has been closed.
    """

    connection: socket | None
    until: float
    how: int
    is_over: bool = False


_waiting: dict[int, Waiting] = {}
_moved_at: dict[int, float] = {}


@contextmanager
def waiting(connection: socket | None, *, size: int, how: int, stalls_s: float | None = None) -> Iterator[Waiting]:
    """This thread waits for so many bytes to come or go."""
    thread, now = threading.get_ident(), time.monotonic()
    found = _waiting[thread] = Waiting(
        connection, now + (STALLS_S if stalls_s is None else stalls_s) + size / SLOWEST_BYTES_PER_S, how
    )
    try:
        yield found
    finally:
        del _waiting[thread]
        _moved_at[thread] = time.monotonic()


def moved() -> None:
    """This thread does something that takes long, and goes on with it."""
    _moved_at[threading.get_ident()] = time.monotonic()


def end_stalled() -> int:
    """Close the connections whose time is over, so that their threads go on.

    Returns:
        How many there were.
    """
    now = time.monotonic()
    over = [each for each in list(_waiting.values()) if each.until < now and not each.is_over]
    for each in over:
        each.is_over = True
        with suppress(OSError):  # the client has gone by itself
            if each.connection:
                each.connection.shutdown(each.how)
    return len(over)


def hanging_since(began_at: Mapping[int, float]) -> float:
    """Since when the thread does nothing that has done nothing for longest, of those that began then; those that wait do something."""
    busy = [max(at, _moved_at.get(thread, 0)) for thread, at in [*began_at.items()] if thread not in _waiting]
    return min(busy, default=time.monotonic())


class Incoming:
    """The body of a request, each read of which has its time.

    Args:
        body: the server's own (`wsgi.input`).
    """

    def __init__(self, body: Any, connection: socket | None) -> None:
        self._body = body
        self._connection = connection
        self._stalls_s: float = STALLS_S
        self._is_over = False

    def hurry(self) -> None:
        """What still comes is of no use to anybody: wait for it for seconds only."""
        self._stalls_s = HURRIED_S

    def give_up(self) -> None:
        """Nobody reads on. The connection ends with the answer, since it is not known where another request would begin."""
        if isinstance(self._body, Body):
            self._body.failed = True

    def end(self) -> None:
        """The answer has gone: read what is left in chunks, of which it is not known whether they are any, or give it up."""
        if not isinstance(self._body, Body) or not isinstance(self._body.reader, ChunkedReader):
            return
        self.hurry()
        left = UNWANTED_BYTES
        with suppress(OSError):
            while left > 0 and not self._is_over:
                left -= len(self.read(LARGE_BYTES))
        if not self._is_over:
            self.give_up()

    def read(self, size: int = -1, /) -> bytes:
        """As of a file: fewer only at the end.

        Raises:
            Stalled: it did not come in time.
            OSError: it ended, or what came is no body.
        """
        connection = self._connection
        # Where the server holds nothing that comes first. A connection with TLS has a buffer of its own.
        if size >= LARGE_BYTES and type(connection) is socket and _is_of_known_length(self._body):
            return self._had(partial(_read_large, self._body, connection, self._stalls_s), size)
        return self._had(self._body.read, size)

    def readline(self, size: int = -1, /) -> bytes:
        """The same, up to the next line.

        Raises:
            Stalled, OSError: as `read`.
        """
        return self._had(self._body.readline, size)

    def _had(self, read: Callable[[int], bytes], size: int) -> bytes:
        with waiting(self._connection, size=max(size, 0), how=SHUT_RD, stalls_s=self._stalls_s) as here:
            try:
                found = read(size)
            except ParseException as error:  # of chunks that are none
                raise ConnectionError(str(error)) from error
        if here.is_over:
            self.give_up()  # what comes all the same is of this body, and no request
            raise Stalled("The client has stopped sending.")
        self._is_over = self._is_over or (not found and size != 0)
        return found


def _is_of_known_length(body: Any) -> bool:
    return isinstance(getattr(body, "reader", None), LengthReader) and not body.buf.tell()


def _read_large(body: Any, connection: socket, stalls_s: float, size: int) -> bytes:
    """Past the server's buffers, which copy each piece several times and take a quarter of the pace of a large file."""
    reader = body.reader
    size = min(size, reader.length)
    ahead = reader.unreader.take_buffered()
    reader.unreader.unread(ahead[size:])  # of the next request
    found = [ahead[:size]]
    reader.length -= len(found[0])
    here = _waiting[threading.get_ident()]
    whole = here.until
    try:
        while left := size - sum(map(len, found)):
            # Who has sent nothing for so long has stopped, however much is waited for.
            here.until = min(whole, time.monotonic() + stalls_s)
            if not (piece := connection.recv(left)):
                break
            found.append(piece)
            reader.length -= len(piece)
    except OSError:
        body.failed = True  # nobody knows where the next request begins
        raise
    return b"".join(filter(None, found))


class Line:
    """The connection over which a request is answered, for what goes out of a file: it need not pass through this process.

    Args:
        answer: the server's own.
    """

    def __init__(self, answer: Any, connection: socket | None) -> None:
        self._answer = answer
        self._connection = connection

    def has_sent(self, size: int) -> bool:
        """Whether so many bytes of the body have gone, and the rest may follow as it lies in its file."""
        answer = self._answer
        if not isinstance(answer, Response) or type(self._connection) is not socket:  # TLS changes each byte
            return False
        is_plain = not answer.chunked and all(name.lower() != "content-encoding" for name, _ in answer.headers)
        return is_plain and answer.headers_sent and answer.sent == size

    def send(self, file: BinaryIO, size: int) -> Iterator[int]:
        """Send so much from where the file stands, and move it on; less where it ends before, nothing where its disk cannot do that.

        Yields:
            How many bytes went.

        Raises:
            OSError: the client has gone, or its time was over.
        """
        while size:
            went = self._straight(file, min(size, STRAIGHT_BYTES))
            if not went:
                return
            file.seek(went, os.SEEK_CUR)
            self._answer.sent += went
            size -= went
            yield went

    def _straight(self, file: BinaryIO, size: int) -> int:
        assert self._connection
        with waiting(self._connection, size=size, how=SHUT_RDWR):
            try:
                return os.sendfile(self._connection.fileno(), file.fileno(), file.tell(), size)
            except OSError as error:
                if error.errno not in NOT_STRAIGHT:
                    raise
                return 0


class Outgoing:
    """An answer, each piece of which has its time."""

    def __init__(self, answer: Any, connection: socket | None, body: Incoming) -> None:
        self._answer = answer
        self._connection = connection
        self._body = body
        self._pieces = self._sent()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def _sent(self) -> Generator[bytes]:
        for piece in self._answer:
            with waiting(self._connection, size=len(piece), how=SHUT_RDWR):
                yield piece

    def close(self) -> None:
        """Wait no more, and let go of what the answer was made from."""
        self._pieces.close()
        if close := getattr(self._answer, "close", None):
            close()
        self._body.end()


def in_time(application: Application) -> Application:
    """The application, of which no body waits for ever."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        body = environ["wsgi.input"] = Incoming(environ["wsgi.input"], connection)
        environ[LINE] = Line(getattr(start_response, "__self__", None), connection)
        found = application(environ, start_response)
        # What the server sends by itself, out of a file, it has to recognise.
        kind = environ.get("wsgi.file_wrapper")
        return found if kind and isinstance(found, kind) else Outgoing(found, connection, body)

    return answer
