"""Bytes that pass through programs and libraries, and what becomes of failures on the way."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from core.backups.errors import BackupBroken, ContentDiffers
from core.backups.streams import Reader, Source, expected, measured, piped, through


def broken(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise ZeroDivisionError


def copy(source: Reader, into: IO[bytes]) -> None:
    while piece := source.read(1_000):
        into.write(piece)


class TestThrough:
    def test_passes_on_all_of_it(self) -> None:
        assert b"".join(through(copy, [b"a" * 100_000, b"", b"b" * 100_000])) == b"a" * 100_000 + b"b" * 100_000

    def test_raises_what_its_source_raises(self) -> None:
        with pytest.raises(ZeroDivisionError):
            list(through(copy, broken(b"a")))

    def test_raises_what_fails_on_the_way(self) -> None:
        def fail(source: Reader, into: IO[bytes]) -> None:
            into.write(source.read())
            raise KeyError("odd")

        with pytest.raises(KeyError, match="odd"):
            list(through(fail, [b"a"]))

    def test_ends_where_nobody_reads_on(self) -> None:
        passing = through(copy, iter(lambda: b"a" * 1_000_000, b""))

        next(passing)
        passing.close()


@pytest.mark.process
class TestPiped:
    def test_tells_a_program_and_hears_it(self) -> None:
        assert b"".join(piped(["cat"], [b"a" * 200_000, b"b"], environment=os.environ)) == b"a" * 200_000 + b"b"

    def test_says_in_its_own_words_why_it_has_failed(self) -> None:
        with pytest.raises(BackupBroken, match="sh has failed: error: no such thing"):
            list(piped(["sh", "-c", "echo first >&2; echo 'error: no such thing' >&2; exit 3"], environment=os.environ))

    def test_lets_no_program_take_a_broken_source_for_its_end(self, tmp_path: Path) -> None:
        ended = tmp_path / "ended"

        with pytest.raises(ZeroDivisionError):
            list(piped(["sh", "-c", f"cat > /dev/null; touch {ended}"], broken(b"a"), environment=os.environ))

        assert not ended.exists()

    def test_ends_with_who_reads(self) -> None:
        saying = piped(["yes"], environment=os.environ)

        next(saying)
        saying.close()

    def test_of_a_program_that_hears_no_more_has_its_say(self) -> None:
        chunks = iter(lambda: b"a" * 1_000_000, b"")

        assert list(piped(["echo", "enough"], chunks, environment=os.environ)) == [b"enough\n"]


class TestExpected:
    def test_says_so_at_the_end(self) -> None:
        _, digest = measured([b"a", b"b"])

        assert list(expected([b"ab"], digest)) == [b"ab"]
        with pytest.raises(ContentDiffers):
            list(expected([b"ac"], digest))


class TestSource:
    def test_knows_by_what_it_has_failed(self) -> None:
        source = Source(broken(b"a"))

        with pytest.raises(ZeroDivisionError) as raised:
            list(source)

        assert source.failure is raised.value
