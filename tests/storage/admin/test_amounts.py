import pytest

from storage.admin.amounts import size_text


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
