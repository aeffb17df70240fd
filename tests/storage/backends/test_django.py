"""The places as Django's own storages, asked of each."""

import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile

from storage.backends.gateway import Storage
from tests.storage.backends.asking import LARGE, fetched
from tests.storage.backends.conftest import EACH

pytestmark = [pytest.mark.process, pytest.mark.parametrize("kind", EACH)]


class TestDjango:
    def test_saves_under_another_name_what_is_taken(self, storage: Storage, at: str) -> None:
        first = storage.save(f"{at}/a.txt", ContentFile(b"1"))
        second = storage.save(f"{at}/a.txt", ContentFile("2"))

        assert first == f"{at}/a.txt"
        assert second != first
        assert (storage.read(first), storage.read(second)) == (b"1", b"2")

    def test_saves_under_another_name_what_was_taken_meanwhile(
        self, storage: Storage, at: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def as_if_free(name: str, **_: Any) -> str:
            monkeypatch.undo()
            return name

        storage.put(f"{at}/a.txt", [b"1"])
        monkeypatch.setattr(storage, "get_available_name", as_if_free)

        assert storage.save(f"{at}/a.txt", ContentFile(b"2")) != f"{at}/a.txt"
        assert storage.read(f"{at}/a.txt") == b"1"

    def test_opens_a_file_to_read_here_and_there(self, storage: Storage, at: str) -> None:
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("one.txt", "1")
            archive.writestr("two.bin", LARGE[:2_000_000])
        storage.put(at, [packed.getvalue()])

        with storage.open(at) as file, zipfile.ZipFile(file) as archive:
            assert archive.read("one.txt") == b"1"
            assert archive.read("two.bin") == LARGE[:2_000_000]

    def test_refuses_to_open_a_file_to_write(self, storage: Storage, at: str) -> None:
        with pytest.raises(ValueError, match="not opened with"):
            storage.open(at, "wb")

    def test_tells_of_a_file_and_of_a_folder(self, storage: Storage, at: str) -> None:
        storage.put(f"{at}/b/c.txt", [b"1"])
        storage.put(f"{at}/a.txt", [b"123"])

        found: Any = storage.listdir(f"/{at}/")
        assert found == (["b"], ["a.txt"])
        assert storage.size(f"{at}/a.txt") == 3
        assert abs(storage.get_modified_time(f"{at}/a.txt") - datetime.now(UTC)) < timedelta(minutes=1)
        assert fetched(storage.url(f"{at}/a.txt"))[2] == b"123"
