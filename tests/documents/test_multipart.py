"""A form with one file, read as it comes."""

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import RunsheetError
from documents import multipart
from documents.receiving import received
from storage.backends.local import LocalStorage
from tests.documents.bodies import BOUNDARY, Stream, form, nothing_is_left, part, request

KIND = f"multipart/form-data; boundary={BOUNDARY}"
# Long, and full of what looks like the end of it.
CONTENT = (b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n-" + bytes(range(256))) * 3000
FILE = part("file", CONTENT, file="Deed.pdf", headers="Content-Type: application/pdf\r\n")
NAME = part("name", "Übertrag".encode())


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(directory=str(tmp_path / "documents"), is_made=True)


def sent(storage: LocalStorage, body: bytes, content_type: str = KIND, **headers: Any) -> multipart.Form:
    with received(request(body, content_type=content_type, **headers)) as found:
        read = multipart.form(found)
        storage.put("1/deed.pdf", read.chunks, exclusive=True)
    return read


def digest(body: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


class TestForm:
    @pytest.mark.parametrize("length", [None, -1])
    def test_has_fields_and_then_a_file(self, storage: LocalStorage, length: int | None) -> None:
        body = form(NAME, part("metadata", b'{"book": 12}'), FILE)

        found = sent(storage, body, length=length, content_digest=digest(body))

        assert storage.read("1/deed.pdf") == CONTENT
        assert found.fields == {"name": "Übertrag", "metadata": '{"book": 12}'}
        assert (found.name, found.content_type, found.sha256) == ("Deed.pdf", "application/pdf", None)

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
    def test_is_the_same_however_it_is_cut(self, storage: LocalStorage, size: int) -> None:
        class Crumbs(Stream):
            def read(self, _size: int | None = -1, /) -> bytes:
                return super().read(size)

        body = form(NAME, part("file", CONTENT[:2000], file="Deed.pdf"))

        found = sent(storage, body, stream=Crumbs(body))

        assert storage.read("1/deed.pdf") == CONTENT[:2000]
        assert found.fields == {"name": "Übertrag"}

    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("", ""),
            ("Übertrag 1902.pdf", "Übertrag 1902.pdf"),
            ("a%22b.pdf", 'a"b.pdf'),
            ('a\\"b.pdf', 'a"b.pdf'),
            ("../../etc/passwd", "passwd"),
            ("C:\\Deeds\\Deed.pdf", "Deed.pdf"),
            ("a; name=b.pdf", "a; name=b.pdf"),
            ("a%0D%0Ab.pdf", "a%0D%0Ab.pdf"),
        ],
    )
    def test_names_the_file_without_its_folders(self, storage: LocalStorage, written: str, name: str) -> None:
        assert sent(storage, form(part("file", b"1", file=written))).name == name

    def test_may_say_what_its_file_hashes_to(self, storage: LocalStorage) -> None:
        said = f"Content-Digest: {digest(b'1')}\r\n"

        assert (
            sent(storage, form(part("file", b"1", file="a", headers=said))).sha256 == hashlib.sha256(b"1").hexdigest()
        )

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (form(NAME), "file_missing"),
            (form(FILE, NAME), "field_after_file"),
            (form(FILE, FILE), "field_after_file"),
            (form(NAME, NAME, FILE), "form_unreadable"),
            (form(part("name", b"\xff"), FILE), "form_unreadable"),
            (form(part("", b"1"), FILE), "form_unreadable"),
            (b"no form at all", "form_unreadable"),
            (b"", "body_incomplete"),
            (form(NAME)[:-60], "body_incomplete"),
            (form(part("name", b"x" * 90))[:-60], "body_incomplete"),
            (form(FILE)[: len(FILE) - 5_000], "body_incomplete"),
            (form(NAME, FILE)[:-80], "body_incomplete"),
            (form(NAME, FILE)[:-8], "body_incomplete"),
            (form(*[part(f"f{number}", b"") for number in range(21)], FILE), "form_too_large"),
            (form(part("metadata", b"x" * 140_000), FILE), "form_too_large"),
            (form(part("file", b"1", file="a", headers="X: y\r\n" * 50)), "form_unreadable"),
            (form(part("file", b"1", file="a", headers=f"Content-Digest: {digest(b'2')}\r\n")), "digest_mismatch"),
            (form(part("file", b"1", file="a", headers="Content-Digest: x\r\n")), "digest_unreadable"),
        ],
    )
    def test_that_is_wrong_leaves_nothing(self, storage: LocalStorage, body: bytes, code: str) -> None:
        with pytest.raises(RunsheetError) as wrong:
            sent(storage, body)

        assert wrong.value.code == code
        assert nothing_is_left(storage)

    def test_is_checked_to_its_last_byte(self, storage: LocalStorage) -> None:
        body = form(FILE)

        with pytest.raises(RunsheetError) as wrong:
            sent(storage, body + b"\r\nepilogue", content_digest=digest(body))
        with pytest.raises(RunsheetError) as short:
            sent(storage, body, length=len(body) + 1)

        assert (wrong.value.code, short.value.code) == ("digest_mismatch", "body_incomplete")
        assert nothing_is_left(storage)

    @pytest.mark.parametrize(
        "kind", ["", "application/json", "multipart/form-data", f"multipart/form-data; boundary={'x' * 300}"]
    )
    def test_says_that_it_is_one(self, storage: LocalStorage, kind: str) -> None:
        with pytest.raises(multipart.NoForm):
            sent(storage, form(FILE), kind)
