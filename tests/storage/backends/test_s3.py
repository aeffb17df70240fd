"""What only S3 has: parts that nobody sees, and rights of the machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from storage.backends.errors import Denied, Exists, Unavailable
from storage.backends.s3 import S3Storage
from storage.backends.stored import PIECE_BYTES
from tests.storage.backends.conftest import Stores

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("storage-s3")]


@pytest.fixture
def storage(running: Stores) -> S3Storage:
    return S3Storage(**running.options("s3"))


def begun(storage: S3Storage) -> list[Any]:
    """Of these tests; others may be at the same bucket."""
    return list(storage.client.list_multipart_uploads(Bucket="runsheet", Prefix="s3/").get("Uploads", ()))


class TestParts:
    def test_are_cleared_away_when_the_file_does_not_come_about(self, storage: S3Storage) -> None:
        def breaking() -> Iterator[bytes]:
            yield b"x" * (PIECE_BYTES + 1)
            assert len(begun(storage)) == 1
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            storage.put("s3/broken", breaking())
        storage.put("s3/there", [b"1"])
        with pytest.raises(Exists):
            storage.put("s3/there", [b"x" * (PIECE_BYTES + 1)], exclusive=True)

        assert begun(storage) == []

    def test_that_cannot_be_cleared_away_hide_no_error(
        self, storage: S3Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from botocore.exceptions import EndpointConnectionError

        def fail(**_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1")

        storage.check()
        monkeypatch.setattr(storage.client, "upload_part", fail)
        monkeypatch.setattr(storage.client, "abort_multipart_upload", fail)

        with pytest.raises(Unavailable) as failure:
            storage.put("s3/lost", [b"x" * PIECE_BYTES])

        assert failure.value.evidence == {"key": "s3/lost", "answer": "EndpointConnectionError"}


class TestWhoAsks:
    def test_with_another_secret_is_not_let_in(self, running: Stores) -> None:
        storage = S3Storage(**running.options("s3") | {"secret_access_key": "guessed"})

        for ask in (storage.check, lambda: storage.put("s3/a", [b"1"]), lambda: list(storage.listing())):
            with pytest.raises(Denied):
                ask()

    def test_without_any_rights_is_told_so(self, running: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        storage = S3Storage(**running.options("s3") | {"access_key_id": "", "secret_access_key": ""})

        with pytest.raises(Denied, match="Unable to locate credentials"):
            storage.check()
