"""A ClamAV on loopback that knows one virus: INSTREAM as `clamd` speaks it, and nothing else."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

# The file by which everybody tries virus scanners (https://www.eicar.org/download-anti-malware-testfile/), in two pieces, so
# that none takes this file for one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + b"-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Signature"
WAIT_S = 20


class Clamd:
    """What it has seen, and how it is reached.

    Attributes:
        largest: its StreamMaxLength; more of one stream it does not take.
        says: what it answers instead; None: what it finds.
    """

    def __init__(self, server: socket.socket, address: str) -> None:
        self.address = address
        self.largest = 10_000_000
        self.says: bytes | None = None
        self.seen: list[bytes] = []
        self._server = server

    def serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = self._server.accept()
                connection.settimeout(WAIT_S)
                with connection, suppress(ConnectionError), connection.makefile("rb") as asked:
                    connection.sendall(self._answer(cast("BinaryIO", asked)))

    def _answer(self, asked: BinaryIO) -> bytes:
        command = b"".join(iter(lambda: asked.read(1), b"\0"))
        assert command == b"zINSTREAM", command
        content = b""
        while length := _length(asked.read(4)):
            content += asked.read(length)
            if len(content) > self.largest:
                return self.says or b"INSTREAM size limit exceeded. ERROR\0"
        self.seen.append(content)
        if self.says is not None:
            return self.says
        return f"stream: {SIGNATURE} FOUND\0".encode() if EICAR in content else b"stream: OK\0"


def _length(said: bytes) -> int:
    """Of the next piece; none where whoever sent has hung up."""
    return int(struct.unpack("!I", said)[0]) if len(said) == struct.calcsize("!I") else 0


@contextmanager
def clamd(path: Path | None = None) -> Iterator[Clamd]:
    """One that listens on loopback, or at a path."""
    server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    server.bind(str(path) if path else ("127.0.0.1", 0))
    server.listen()
    address = f"unix://{path}" if path else f"tcp://127.0.0.1:{server.getsockname()[1]}"
    running = Clamd(server, address)
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(WAIT_S)
