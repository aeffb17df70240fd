"""ClamAV's own protocol, over a socket."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from documents import scanning
from documents.errors import ScannerUnavailable, TooLargeToScan
from tests.documents.clamav import EICAR, SIGNATURE, Clamd, clamd


@pytest.fixture(params=["tcp", "unix"])
def scanner(request: pytest.FixtureRequest, settings: Any) -> Iterator[Clamd]:
    # The path of a socket has at most 108 characters, and that of a test's folder may have more.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(clamd(folder / "clamd.ctl" if request.param == "unix" else None))
        settings.DOCUMENTS_SCANNER = running.address
        yield running


class TestFoundIn:
    def test_names_what_was_found(self, scanner: Clamd) -> None:
        assert scanning.found_in([b"before ", EICAR]) == SIGNATURE
        assert scanning.found_in([b"clean"]) == ""
        assert scanner.seen == [b"before " + EICAR, b"clean"]

    def test_sends_large_pieces_in_parts(self, scanner: Clamd) -> None:
        content = bytes(3 * scanning.PIECE_BYTES + 7)

        assert scanning.found_in([content, b""]) == ""
        assert scanner.seen == [content]

    def test_tells_that_it_is_too_much(self, scanner: Clamd) -> None:
        """It hangs up while more is sent; what it said before that counts."""
        scanner.largest = 10

        with pytest.raises(TooLargeToScan):
            scanning.found_in(bytes(scanning.PIECE_BYTES) for _ in range(200))

    @pytest.mark.parametrize(
        "said",
        [b"", b"stream: lstat() failed. ERROR\0", b"\xff" * 9_000, b"stream: OK", b"stream: OK"[:-1] + b"\0", b"OK\0"],
    )
    def test_does_not_take_anything_else_for_an_answer(self, scanner: Clamd, said: bytes) -> None:
        scanner.says = said

        with pytest.raises(ScannerUnavailable):
            scanning.found_in([b"clean"])

    def test_believes_nobody_who_has_not_seen_it_all(self, scanner: Clamd) -> None:
        scanner.largest, scanner.says = 10, b"stream: OK\0"

        with pytest.raises(ScannerUnavailable):
            scanning.found_in(bytes(scanning.PIECE_BYTES) for _ in range(200))

    @pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///nowhere/clamd.ctl"])
    def test_tells_that_nobody_listens(self, settings: Any, address: str) -> None:
        settings.DOCUMENTS_SCANNER = address

        with pytest.raises(ScannerUnavailable) as told:
            scanning.found_in([b"clean"])

        assert "Error" in told.value.evidence["answer"]

    def test_passes_on_what_storage_says(self, scanner: Clamd) -> None:
        def broken() -> Iterator[bytes]:
            yield b"x"
            raise LookupError

        with pytest.raises(LookupError):
            scanning.found_in(broken())
