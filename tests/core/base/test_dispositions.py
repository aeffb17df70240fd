"""Under which name a file is kept."""

import pytest

from core.base.dispositions import disposition


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("deed.pdf", 'attachment; filename="deed.pdf"'),
        ("Über „1“.pdf", "attachment; filename=\"Uber _1_.pdf\"; filename*=utf-8''%C3%9Cber%20%E2%80%9E1%E2%80%9C.pdf"),
        ("a%20é.pdf", "attachment; filename=\"a_20e.pdf\"; filename*=utf-8''a%2520%C3%A9.pdf"),
        ("é\r\nX: 1", "attachment; filename=\"e__X: 1\"; filename*=utf-8''%C3%A9%0D%0AX%3A%201"),
        ('a"b.pdf', 'attachment; filename="a\\"b.pdf"'),
        ("", "attachment"),
    ],
)
def test_is_read_by_everybody(name: str, expected: str) -> None:
    assert disposition(name) == expected


def test_may_be_shown() -> None:
    assert disposition("map.png", is_shown=True) == 'inline; filename="map.png"'
