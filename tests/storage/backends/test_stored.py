import os
import threading
from datetime import UTC, datetime
from hashlib import sha256
from io import SEEK_CUR, SEEK_END

import pytest

from storage.backends import stored
from storage.backends.clients import PerProcess
from storage.backends.reading import BUFFER_BYTES, Reader, buffered
from storage.backends.stored import Measured, Stored, nanoseconds, pieces

FILE = Stored("a", 10, 0, "1")


class TestPieces:
    @pytest.mark.parametrize(
        ("chunks", "expected"),
        [
            ([], [b""]),
            ([b"", b""], [b""]),
            ([b"12"], [b"12"]),
            ([b"123"], [b"123"]),
            ([b"1234"], [b"123", b"4"]),
            ([b"1", b"2", b"3", b"4"], [b"123", b"4"]),
            ([b"12", b"3456789"], [b"123", b"456", b"789"]),
            ([b"1", b"23", b"456"], [b"123", b"456"]),
        ],
    )
    def test_are_of_one_size_but_the_last(self, chunks: list[bytes], expected: list[bytes]) -> None:
        assert list(pieces(chunks, size=3)) == expected


def _checksums() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "checksums"]


class TestMeasured:
    def test_counts_what_passes(self) -> None:
        measured = Measured([b"1", b"", b"23"])

        assert list(measured) == [b"1", b"23"]
        assert (measured.size, measured.sha256) == (3, sha256(b"123").hexdigest())

    @pytest.mark.parametrize("beside_from", [0, 4, 1_000], ids=["beside", "beside later", "never beside"])
    def test_knows_the_checksum(self, monkeypatch: pytest.MonkeyPatch, beside_from: int) -> None:
        monkeypatch.setattr(stored, "BESIDE_FROM_BYTES", beside_from)
        content = b"0123456789"
        measured = Measured([content[:1], content[1:3], content[3:9], content[9:]])

        assert b"".join(measured) == content
        assert measured.sha256 == sha256(content).hexdigest()

    def test_ends_its_thread_when_nobody_wants_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stored, "BESIDE_FROM_BYTES", 0)
        passing = iter(Measured([b"1", b"2", b"3"]))
        next(passing)
        assert _checksums()

        passing.close()

        assert not _checksums()


class TestNanoseconds:
    def test_are_exact(self) -> None:
        assert nanoseconds(datetime(2026, 1, 31, 12, 0, 0, 123_457, tzinfo=UTC)) == 1_769_860_800_123_457_000


class TestReader:
    def test_asks_for_no_more_than_is_wanted(self) -> None:
        asked: list[tuple[int, int]] = []

        def read(start: int, end: int) -> bytes:
            asked.append((start, end))
            return b"0123456789"[start:end]

        with Reader(FILE, read) as file:
            assert file.seek(3) == 3
            assert file.read(2) == b"34"
            assert file.seek(-1, SEEK_CUR) == file.tell() == 4
            assert file.seek(-2, SEEK_END) == 8
            assert file.read(5) == b"89"
            assert file.read(5) == b""
            with pytest.raises(ValueError, match="nothing before its beginning"):
                file.seek(-1)
        assert asked == [(3, 5), (8, 10)]

    def test_asks_once_for_what_is_read_in_small_pieces(self) -> None:
        asked: list[tuple[int, int]] = []

        def read(start: int, end: int) -> bytes:
            asked.append((start, end))
            return bytes(end - start)

        file = buffered(FILE._replace(size=BUFFER_BYTES), read)

        assert [len(file.read(10)) for _ in range(100)] == [10] * 100
        assert asked == [(0, BUFFER_BYTES)]


class TestPerProcess:
    def test_makes_one_for_each_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clients = PerProcess(object)
        mine = clients()

        assert clients() is mine
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert clients() is not mine
