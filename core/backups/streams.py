"""Bytes on their way: through a program, or through a library that reads and writes files. Nothing is held as a whole."""

import os
import subprocess
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any

from core.backups.errors import BackupBroken, ContentDiffers

PIECE_BYTES = 64 * 1024
SAID_AT_MOST = 500


class Source:
    """Chunks, of which it is known afterwards whether they have failed.

    Attributes:
        failure: by what.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except BaseException as error:
            self.failure = error
            raise


class Reader:
    """Chunks as a file that a library reads.

    Attributes:
        failure: why there are no more; a library may pass on less than that.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """As many bytes as there are at hand, `size` at most; none only at the end."""
        try:
            while not self._rest:
                self._rest = next(self._chunks)
        except StopIteration:
            return b""
        except BaseException as error:
            self.failure = error
            raise
        cut = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:cut], self._rest[cut:]
        return piece


def through(act: Callable[[Reader, IO[bytes]], Any], chunks: Iterable[bytes]) -> Generator[bytes]:
    """What comes out of somebody who reads one file and writes another; in a thread, which ends with us.

    What the chunks raise is raised here, and so is what `act` raises, once all that came before was handed on.
    """
    source = Reader(chunks)
    failures: list[BaseException] = []
    outlet, inlet = os.pipe()

    def work() -> None:
        try:
            with os.fdopen(inlet, "wb") as into:
                act(source, into)
        except BaseException as error:  # noqa: BLE001 - raised by who reads
            failures.append(source.failure or error)

    thread = Thread(target=work, name="through")
    thread.start()
    with ExitStack() as stack:
        stack.callback(thread.join)  # who writes to what nobody reads any more ends by that
        out = stack.enter_context(os.fdopen(outlet, "rb", buffering=0))
        while piece := out.read(PIECE_BYTES):
            yield piece
        thread.join()
        if failures:
            raise failures[0]


def piped(
    command: Sequence[str], chunks: Iterable[bytes] | None = None, *, environment: Mapping[str, str]
) -> Generator[bytes]:
    """What a program says, which is told the chunks.

    Where the chunks break off, the program is killed before it can take that for their end.

    Raises:
        BackupBroken: the program has failed; with its own words.
    """
    with TemporaryFile() as said, ExitStack() as stack:
        process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            command,
            stdin=subprocess.DEVNULL if chunks is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=dict(environment),
        )
        stack.callback(_end, process)
        feeder = _Feeder(process, chunks or ())
        stack.callback(feeder.join)
        stack.callback(process.kill)  # and so its feeder ends
        assert process.stdout is not None
        out = stack.enter_context(process.stdout)
        while piece := os.read(out.fileno(), PIECE_BYTES):
            yield piece
        process.wait()
        feeder.join()
        if feeder.failure is not None:
            raise feeder.failure
        if process.returncode:
            raise BackupBroken(_words(command, process.returncode, said))


class _Feeder(Thread):
    """Tells a program what it is to read."""

    def __init__(self, process: "subprocess.Popen[bytes]", chunks: Iterable[bytes]) -> None:
        super().__init__(name="feeder")
        self._process = process
        self._chunks = iter(chunks)
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        into = self._process.stdin
        if into is None:
            return
        try:
            for chunk in self._chunks:
                into.write(chunk)
        except BrokenPipeError:  # it has ended, and says why
            pass
        except BaseException as error:  # noqa: BLE001 - raised by who reads
            self.failure = error
            self._process.kill()
        with suppress(BrokenPipeError):
            into.close()
        if isinstance(self._chunks, Generator):
            self._chunks.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _words(command: Sequence[str], code: int, said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    told = next((line for line in lines if "error" in line.casefold()), lines[-1] if lines else f"exit code {code}")
    return f"{Path(command[0]).name} has failed: {told[:SAID_AT_MOST]}"


def expected(chunks: Iterable[bytes], digest: str) -> Iterator[bytes]:
    """The same bytes.

    Raises:
        ContentDiffers: at their end, they are others.
    """
    found = sha256()
    for chunk in chunks:
        found.update(chunk)
        yield chunk
    if found.hexdigest() != digest:
        raise ContentDiffers(found.hexdigest())


def measured(chunks: Iterable[bytes]) -> tuple[int, str]:
    """How many bytes, and their SHA-256."""
    size, found = 0, sha256()
    for chunk in chunks:
        size += len(chunk)
        found.update(chunk)
    return size, found.hexdigest()


def drained(chunks: Generator[bytes]) -> None:
    """To the end, where nobody needs what is said."""
    with closing(chunks):
        for _ in chunks:
            pass
