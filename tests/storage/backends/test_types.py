"""What a file holds, as its name says."""

import pytest

from storage.backends.types import type_of


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("Deed of 1902.PDF", "application/pdf"),
        ("Owners.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("Runsheet.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("Plat.tif", "image/tiff"),
        ("Section 12.kmz", "application/vnd.google-earth.kmz"),
        ("Deed", ""),
        ("of.nobody", ""),
    ],
)
def test_is_the_same_on_every_host(name: str, media_type: str) -> None:
    assert type_of(name) == media_type
