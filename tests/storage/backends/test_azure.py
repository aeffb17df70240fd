"""What only Azure has: an account whose key is another."""

from base64 import b64encode

import pytest

from storage.backends.azure import AzureStorage
from storage.backends.errors import Denied, Unavailable
from storage.backends.stored import PIECE_BYTES
from tests.storage.backends.conftest import Stores

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("storage-azure")]


class TestWhoAsks:
    def test_with_another_key_is_not_let_in(self, running: Stores) -> None:
        storage = AzureStorage(
            **running.options("azure") | {"account_key": b64encode(b"guessed").decode(), "attempts": 1}
        )

        for ask in (storage.check, lambda: storage.put("azure/a", [b"1"]), lambda: list(storage.listing())):
            with pytest.raises(Denied):
                ask()


class TestStream:
    def test_of_a_file_that_is_replaced_in_the_middle_is_no_mixture(self, running: Stores) -> None:
        storage = AzureStorage(**running.options("azure"))
        storage.put("azure/a", [b"x" * (2 * PIECE_BYTES + 1)])
        found = storage.stream("azure/a")
        next(found)

        storage.put("azure/a", [b"y" * (2 * PIECE_BYTES + 1)])

        with pytest.raises(Unavailable, match="was replaced while it was read"):
            list(found)
