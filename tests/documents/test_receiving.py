"""A body that is read as it comes: all of it is stored, or nothing."""

import hashlib
from base64 import b64encode
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest

from core.base.errors import RunsheetError
from core.http import uploads
from core.http.transfers import Stalled
from documents import errors, places, receiving
from documents.receiving import PIECE_BYTES, received
from storage.backends.local import LocalStorage
from tests.documents.bodies import Stream, nothing_is_left, request

LARGE = bytes(range(256)) * 4096


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(directory=str(tmp_path / "documents"), is_made=True)


def digest(body: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


def failed(storage: LocalStorage, asked: Any) -> str:
    """What was wrong with it, after which nothing is left."""
    with pytest.raises(RunsheetError) as wrong, received(asked) as body:
        storage.put("1/deed.pdf", body.chunks, exclusive=True)
    assert nothing_is_left(storage)
    return wrong.value.code


class TestReceived:
    @pytest.mark.parametrize("length", [None, -1])
    @pytest.mark.parametrize("body", [b"", b"deed", LARGE])
    def test_is_stored_piece_by_piece(self, storage: LocalStorage, body: bytes, length: int | None) -> None:
        stream = Stream(body)
        asked = request(body, stream=stream, length=length, content_digest=digest(body), content_type="application/pdf")

        with received(asked) as found:
            storage.put("1/deed.pdf", found.chunks)

        assert storage.read("1/deed.pdf") == body
        assert stream.most <= PIECE_BYTES
        assert (found.length, found.content_type) == (None if length else len(body), "application/pdf")
        assert found.sha256 == hashlib.sha256(body).hexdigest()

    def test_says_no_digest_where_nobody_has_said_one(self) -> None:
        with received(request(b"deed")) as found:
            assert found.sha256 is None

    def test_ends_where_it_says(self, storage: LocalStorage) -> None:
        with received(request(b"deed and what follows", length=4)) as found:
            storage.put("1/deed.pdf", found.chunks)

        assert storage.read("1/deed.pdf") == b"deed"

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"length": 5_000_000}, "body_incomplete"),
            ({"content_digest": digest(b"other")}, "digest_mismatch"),
            ({"repr_digest": digest(b"other")}, "digest_mismatch"),
            ({"length": -1, "content_digest": digest(b"other")}, "digest_mismatch"),
            ({"content_digest": "sha-256=deed"}, "digest_unreadable"),
        ],
    )
    def test_that_lies_leaves_nothing(self, storage: LocalStorage, headers: Any, code: str) -> None:
        assert failed(storage, request(LARGE, **headers)) == code

    @pytest.mark.parametrize(
        ("error", "code"), [(Stalled(), "body_too_slow"), (ConnectionResetError(), "body_incomplete")]
    )
    def test_that_breaks_off_leaves_nothing(self, storage: LocalStorage, error: OSError, code: str) -> None:
        class Breaks(Stream):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell():
                    raise error
                return super().read(size)

        assert failed(storage, request(LARGE * 2, stream=Breaks(LARGE * 2))) == code

    def test_has_a_place_or_is_thrown_away(self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, "LARGE_BYTES", 0)
        monkeypatch.setattr(places, "_free", BoundedSemaphore(1))

        with received(request(b"deed")):
            assert failed(storage, request(LARGE)) == "too_many_transfers"
        with received(request(b"deed")):
            pass  # the place is free again

    def test_in_chunks_is_of_a_server_that_sees_their_end(self, storage: LocalStorage) -> None:
        asked = request(b"deed", length=-1)
        del asked.META["wsgi.input_terminated"]

        assert failed(storage, asked) == "length_missing"

    def test_that_is_compressed_on_its_way_is_not_taken(self, storage: LocalStorage) -> None:
        asked = request(b"deed", length=-1)
        asked.META["HTTP_TRANSFER_ENCODING"] = "gzip, chunked"

        assert failed(storage, asked) == "transfer_coded"
        assert receiving.TransferCoded.status == 501

    def test_that_is_not_taken_is_thrown_away_so_that_its_sender_reads_why(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploads, "THROWN_AWAY_BYTES", 700_000)
        stream = Stream(LARGE)

        with pytest.raises(errors.QuotaExceeded), received(request(LARGE, stream=stream)):
            raise errors.QuotaExceeded

        assert stream.tell() == 700_000

    def test_that_fails_by_a_bug_is_not_waited_for(self) -> None:
        stream = Stream(LARGE)

        with pytest.raises(ZeroDivisionError), received(request(LARGE, stream=stream)):
            raise ZeroDivisionError

        assert stream.tell() == 0

    def test_has_a_name_for_each_of_its_failures(self) -> None:
        assert receiving.BodyTooSlow.status == 408
        assert receiving.LengthMissing.status == 411
