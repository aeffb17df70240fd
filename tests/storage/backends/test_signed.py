"""The addresses that every place signs, asked of each."""

import time

import pytest

from storage.backends.gateway import LONGEST_SIGNED_S, Storage
from tests.storage.backends.asking import fetched
from tests.storage.backends.conftest import EACH

pytestmark = [pytest.mark.process, pytest.mark.parametrize("kind", EACH)]


class TestSigned:
    def test_opens_one_file_under_a_name(self, storage: Storage, kind: str, at: str) -> None:
        storage.put(at, [b"for you"])

        status, headers, content = fetched(storage.sign(at, seconds=60, name='Straße "7".pdf'))

        assert (status, content) == (200, b"for you")
        if kind == "gcs":
            return  # fake-gcs-server keeps the name to itself; test_gcs.py looks at the address
        said = {name.lower(): value for name, value in headers.items()}["content-disposition"]
        assert said == "attachment; filename=\"Stra_e _7_.pdf\"; filename*=utf-8''Stra%C3%9Fe%20%227%22.pdf"

    def test_ends_when_its_time_is_over(self, storage: Storage, kind: str, at: str) -> None:
        if kind == "gcs":
            pytest.skip("fake-gcs-server looks at no signature; test_gcs.py looks at the address")
        storage.put(at, [b"1"])
        address = storage.sign(at, seconds=1, name="x")
        until = time.monotonic() + 10

        while fetched(address)[0] == 200:
            assert time.monotonic() < until
            time.sleep(0.1)

        assert fetched(address)[0] in {403, 404}

    def test_opens_nothing_else(self, storage: Storage, kind: str, at: str) -> None:
        if kind == "gcs":
            pytest.skip("fake-gcs-server looks at no signature; test_gcs.py looks at the address")
        storage.put(f"{at}-1", [b"1"])
        storage.put(f"{at}-2", [b"2"])
        address = storage.sign(f"{at}-1", seconds=60, name="x")
        changed = f"{address[:-9]}x{address[-8:]}" if kind == "local" else address.replace(f"{at}-1", f"{at}-2")

        assert changed != address
        assert fetched(changed)[0] in {403, 404}

    @pytest.mark.parametrize("seconds", [0, LONGEST_SIGNED_S + 1])
    def test_is_made_for_a_time_that_everybody_takes(self, storage: Storage, at: str, seconds: int) -> None:
        with pytest.raises(ValueError, match="An address is signed for"):
            storage.sign(at, seconds=seconds, name="x")
