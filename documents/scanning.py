"""ClamAV looks through what was uploaded, by its own protocol (`man clamd`, INSTREAM)."""

import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings

from documents.errors import ScannerUnavailable, TooLargeToScan

CONNECT_TIMEOUT_S = 5
# It answers once it has seen all of it.
ANSWER_TIMEOUT_S = 120
# ClamAV takes no larger piece than it would take a file; it reads each whole.
PIECE_BYTES = 128 * 1024
ANSWER_AT_MOST = 4_096
FOUND, CLEAN, TOO_LARGE = " FOUND", "stream: OK", "size limit exceeded"


def found_in(chunks: Iterable[bytes]) -> str:
    """The name of what the scanner has found; empty if it is clean.

    Args:
        chunks: what raises while they are read is passed on.

    Raises:
        ScannerUnavailable: it could not be asked, or gave no answer.
        TooLargeToScan: it does not take so much.
    """
    try:
        with _connected() as connection:
            answer = _asked(connection, chunks)
    except OSError as error:
        raise ScannerUnavailable(evidence={"answer": f"{type(error).__name__}: {error}"}) from error
    if answer.endswith(FOUND):
        return answer.removeprefix("stream: ").removesuffix(FOUND)
    if answer == CLEAN:
        return ""
    if TOO_LARGE in answer:
        raise TooLargeToScan(evidence={"answer": answer})
    raise ScannerUnavailable(evidence={"answer": answer})


def _connected() -> socket.socket:
    parts = urlsplit(settings.DOCUMENTS_SCANNER)
    if parts.scheme == "tcp":
        connection = socket.create_connection((parts.hostname, parts.port), timeout=CONNECT_TIMEOUT_S)
    else:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(parts.path)
        except OSError:
            connection.close()
            raise
    connection.settimeout(ANSWER_TIMEOUT_S)
    return connection


def _asked(connection: socket.socket, chunks: Iterable[bytes]) -> str:
    """What it says of the bytes. One that will not have them all says so and hangs up: then it has found none of them clean."""
    pieces = (chunk[start : start + PIECE_BYTES] for chunk in chunks for start in range(0, len(chunk), PIECE_BYTES))
    connection.sendall(b"zINSTREAM\0")
    for piece in pieces:
        if not _sent(connection, struct.pack("!I", len(piece)) + piece):
            break
    else:
        if _sent(connection, struct.pack("!I", 0)):
            return _answer(connection)
    answer = _answer(connection)
    return "" if answer == CLEAN else answer


def _sent(connection: socket.socket, data: bytes) -> bool:
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)
        return True
    return False


def _answer(connection: socket.socket) -> str:
    """What it says, if it says it to the end."""
    told = bytearray()
    while b"\0" not in told and len(told) < ANSWER_AT_MOST:
        more = connection.recv(ANSWER_AT_MOST)
        if not more:
            break
        told += more
    said, ended, _ = bytes(told).partition(b"\0")
    # What is cut off may begin as another answer does.
    return said.decode(errors="replace").strip() if ended else ""
