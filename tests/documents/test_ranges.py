"""Which parts of a file are asked for."""

import pytest

from documents import ranges
from documents.ranges import Part, RangeRefused

SIZE = 1_000


def wanted(header: str, size: int = SIZE) -> list[tuple[int, int]]:
    return [(part.start, part.end) for part in ranges.wanted(header, size=size)]


class TestWanted:
    @pytest.mark.parametrize(
        ("header", "parts"),
        [
            ("bytes=0-499", [(0, 500)]),
            ("bytes=0-0", [(0, 1)]),
            ("bytes=999-", [(999, 1000)]),
            ("bytes=500-4000", [(500, 1000)]),
            ("bytes=-1", [(999, 1000)]),
            ("bytes=-4000", [(0, 1000)]),
            ("Bytes = 0-1", [(0, 2)]),
            ("bytes=0-1, 500-501 ,,\t-2", [(0, 2), (500, 502), (998, 1000)]),
            ("bytes=500-501,0-1", [(500, 502), (0, 2)]),
            ("bytes=0-1,2000-3000", [(0, 2)]),
            ("bytes=0-1,2-3", [(0, 4)]),
            ("bytes=0-,0-,0-", [(0, 1000)]),
            ("bytes=5-9,0-6,900-", [(0, 10), (900, 1000)]),
        ],
    )
    def test_is_what_there_is_of_it(self, header: str, parts: list[tuple[int, int]]) -> None:
        assert wanted(header) == parts

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=9-8",
            "bytes=a-b",
            "bytes=0-1;2-3",
            "items=0-1",
            "bytes=0-1,x",
            *("bytes=1", "bytes=--1", "bytes=0-1-2", "bytes=\u0660-\u0661", "bytes=0 - 1"),
        ],
    )
    def test_is_nothing_where_it_is_no_range(self, header: str) -> None:
        assert wanted(header) == []

    @pytest.mark.parametrize(
        ("header", "size"),
        [
            ("bytes=1000-", SIZE),
            (f"bytes={'9' * 20}-", SIZE),
            ("bytes=2000-3000,4000-", SIZE),
            ("bytes=-0", SIZE),
            ("bytes=0-", 0),
            ("bytes=-5", 0),
        ],
    )
    def test_is_refused_where_the_file_has_none_of_it(self, header: str, size: int) -> None:
        with pytest.raises(RangeRefused) as refused:
            wanted(header, size)

        assert refused.value.size == size

    def test_is_no_flood(self) -> None:
        many = ",".join(f"{each}-{each}" for each in range(0, 2 * ranges.AT_MOST, 2))

        assert len(wanted(f"bytes={many}")) == ranges.AT_MOST
        with pytest.raises(RangeRefused, match="At most 16 parts"):
            wanted(f"bytes={many},500-")


class TestPart:
    def test_is_told_with_the_size_of_the_whole(self) -> None:
        assert Part(2, 5).of(10) == "bytes 2-4/10"
        assert Part(2, 5).length == 3
