import re
from typing import Any

import pytest
from django.db import connection

from storage.index.folders import CHILDREN, Child, children, folder_of, parents_of
from storage.models import StorageRoot, StoredFile


@pytest.fixture
def root(db: None) -> StorageRoot:
    return StorageRoot.objects.create(name="here")


def put(root: StorageRoot, *keys: str) -> dict[str, int]:
    made = StoredFile.objects.bulk_create(
        StoredFile(root=root, key=key, name=key.rstrip("/").rpartition("/")[2], is_directory=key[-1] == "/")
        for key in keys
    )
    return {file.key: file.pk for file in made}


def found(root: StorageRoot, folder: str = "", limit: int = 100) -> list[str]:
    return [child.key for child in children(root_id=root.pk, folder=folder, limit=limit)]


class TestChildren:
    def test_are_what_lies_directly_there(self, root: StorageRoot) -> None:
        put(root, "7/", "7/a/", "7/a/deep/", "7/a/deep/x", "7/a.pdf", "7/b", "8", "70/")

        assert found(root) == ["7/", "70/", "8"]
        assert found(root, "7/") == ["7/a.pdf", "7/a/", "7/b"]
        assert found(root, "7/a/") == ["7/a/deep/"]
        assert found(root, "7/b/") == []

    def test_are_of_that_root_only(self, root: StorageRoot) -> None:
        put(StorageRoot.objects.create(name="elsewhere"), "7/", "9")

        assert found(root) == []

    def test_know_their_rows_and_a_folder_without_one_has_none(self, root: StorageRoot) -> None:
        ids = put(root, "a/b/c", "a/d", "e/", "e/f")

        assert children(root_id=root.pk, folder="", limit=9) == [
            Child(key="a/", file_id=None),
            Child(key="e/", file_id=ids["e/"]),
        ]
        assert children(root_id=root.pk, folder="a/", limit=9) == [
            Child(key="a/b/", file_id=None),
            Child(key="a/d", file_id=ids["a/d"]),
        ]

    def test_are_told_up_to_a_number(self, root: StorageRoot) -> None:
        put(root, "a", "b/", "b/x", "c")

        assert found(root, limit=2) == ["a", "b/"]

    @pytest.mark.parametrize("odd", ["\x01", "0", "\U0010ffff", "a\nb", "%_\\", "' OR 1=1 --"])
    def test_may_be_called_anything(self, root: StorageRoot, odd: str) -> None:
        put(root, f"{odd}/", f"{odd}/{odd}", f"{odd}/{odd}{odd}", odd)

        assert found(root) == [odd, f"{odd}/"]
        assert found(root, f"{odd}/") == [f"{odd}/{odd}", f"{odd}/{odd}{odd}"]

    def test_cost_as_many_steps_as_there_are_of_them(self, root: StorageRoot) -> None:
        put(root, *(f"{top}/{number:04}" for top in "abc" for number in range(500)))
        given: dict[str, Any] = {"root": root.pk, "folder": "", "end": "", "behind": 1, "limit": 10}

        with connection.cursor() as cursor:
            cursor.execute("ANALYZE storage_storedfile")
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) {CHILDREN}", given)
            told = [line for (line,) in cursor.fetchall()]

        # Before 18 PostgreSQL tells whole rows.
        assert any(re.search(r"CTE Scan on child \(actual rows=3(\.00)? loops=1\)", line) for line in told), told
        assert not any("Rows Removed" in line or "Seq Scan on storage_storedfile" in line for line in told), told


class TestPaths:
    @pytest.mark.parametrize(
        ("key", "folder"), [("a", ""), ("a/", ""), ("a/b", "a/"), ("a/b/", "a/"), ("a/b/c", "a/b/")]
    )
    def test_lie_in_a_folder(self, key: str, folder: str) -> None:
        assert folder_of(key) == folder

    def test_lead_down_from_the_root(self) -> None:
        assert parents_of("a/b/c/") == ["a/", "a/b/", "a/b/c/"]
        assert parents_of("") == []
