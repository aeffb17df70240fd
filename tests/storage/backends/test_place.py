"""Whether a place is there, and who may ask it from where; of each."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from storage.backends.errors import Denied
from storage.backends.gateway import Storage
from tests.storage.backends.conftest import EACH

pytestmark = [pytest.mark.process, pytest.mark.parametrize("kind", EACH)]


class TestCheck:
    def test_says_nothing_where_all_is_well(self, storage: Storage) -> None:
        storage.check()

    def test_tells_a_place_that_is_gone_from_a_file_that_is(
        self, make: Callable[..., Storage], kind: str, at: str
    ) -> None:
        place: dict[str, dict[str, Any]] = {
            "local": {"directory": "/nowhere", "is_made": False},
            "azure": {"container": "nowhere"},
        }
        storage = make(**place.get(kind, {"bucket": "nowhere"}))

        for asking in (storage.check, lambda: storage.stat(at), lambda: storage.exists(at), lambda: storage.read(at)):
            with pytest.raises(Denied):
                asking()
        with pytest.raises(Denied):
            list(storage.listing())


class TestFork:
    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_leaves_parent_and_child_a_way_each(self, storage: Storage, at: str) -> None:
        storage.put(at, [b"1"])

        if not (child := os.fork()):
            os._exit(0 if storage.read(at) == b"1" and storage.put(f"{at}-2", [b"2"]).size == 1 else 1)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert storage.read(at) == b"1"
        assert storage.read(f"{at}-2") == b"2"
