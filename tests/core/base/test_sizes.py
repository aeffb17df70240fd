import pytest

from core.base.sizes import size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 KB"),
        (1_500, "1.5 KB"),
        (999_999, "1.0 MB"),
        (5_000_000_000, "5.0 GB"),
        (2**62, "4,611.7 PB"),
    ],
)
def test_a_size_is_told_in_its_largest_unit(size: int, text: str) -> None:
    assert size_text(size) == text
