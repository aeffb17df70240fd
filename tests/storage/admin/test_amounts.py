from datetime import UTC, datetime

import pytest

from storage.admin.amounts import instant, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KB"),
        (1_500, "1.5 KB"),
        (1024**2 - 1, "1.0 MB"),
        (5 * 1024**3, "5.0 GB"),
        (2**62, "4,096.0 PB"),
    ],
)
def test_a_size_is_told_in_its_largest_unit(size: int, text: str) -> None:
    assert size_text(size) == text


def test_an_instant_may_be_in_any_year_or_in_none() -> None:
    assert instant(1_000_000_000) == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert instant(-1_000) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert instant(2**63 - 1) == datetime(2262, 4, 11, 23, 47, 16, 854_775, tzinfo=UTC)
    assert instant(10**21) is None
