"""A file on its way to whoever may have it."""

import hashlib
import re
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from api.errors import PreconditionFailed
from documents import places, serving
from documents.places import TooManyTransfers
from documents.serving import Content, FileAway, FileCutShort, answer, file_name
from storage.backends import documents
from storage.backends.errors import Unavailable

BYTES = bytes(range(256)) * 16
KEY = "1/documents/4/2/Deed_of_1902.pdf"
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Settings) -> None:
    options = {"directory": str(tmp_path / "documents"), "is_made": True}
    local = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"documents": local}
    documents().put(KEY, [BYTES])


@pytest.fixture
def no_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a large one, and there is one place."""
    monkeypatch.setattr(places, "LARGE_BYTES", 0)
    monkeypatch.setattr(places, "_free", BoundedSemaphore(1))


def content(**changed: Any) -> Content:
    said: dict[str, Any] = {
        "key": KEY,
        "name": "Deed of 1902.pdf",
        "size": len(BYTES),
        "sha256": hashlib.sha256(BYTES).hexdigest(),
        "mime_type": "application/pdf",
        "modified_at": AT,
    }
    return Content(**{**said, **changed})


def asked(method: str = "GET", *, inline: bool = False, of: Content | None = None, **headers: Any) -> HttpResponseBase:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(RequestFactory().generic(method, "/", headers=sent), of or content(), inline=inline)


def read(found: Any) -> bytes:
    return bytes(found.getvalue())


class TestWhole:
    def test_has_all_that_is_known_of_it(self) -> None:
        found = asked()

        assert read(found) == BYTES
        assert found.status_code == 200
        assert dict(found.items()) == {
            "Content-Type": "application/pdf",
            "Content-Disposition": 'attachment; filename="Deed of 1902.pdf"',
            "Content-Length": "4096",
            "Content-Security-Policy": "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-cache, no-transform",
            "Accept-Ranges": "bytes",
            "ETag": content().etag,
            "Last-Modified": "Sat, 31 Jan 2026 12:00:00 GMT",
            "Repr-Digest": found["Repr-Digest"],
        }
        assert found["Repr-Digest"].startswith("sha-256=:")

    def test_is_told_about_without_a_byte_of_it(self) -> None:
        found, whole = asked("HEAD", Range="bytes=0-1"), asked()

        assert (found.status_code, read(found)) == (200, b"")
        assert dict(found.items()) == dict(whole.items())

    def test_of_no_bytes_is_one(self) -> None:
        documents().put("1/empty", [])

        found = asked(of=content(key="1/empty", size=0))

        assert (read(found), found["Content-Length"]) == (b"", "0")

    @pytest.mark.parametrize("headers", [{"Range": "items=0-1"}, {"Range": "bytes=0-1", "If_Range": '"other"'}])
    def test_is_sent_where_a_part_makes_no_sense(self, headers: dict[str, Any]) -> None:
        assert read(asked(**headers)) == BYTES


class TestConditions:
    @pytest.mark.parametrize(
        "headers",
        [
            {"If_None_Match": content().etag},
            {"If_None_Match": f'"other", W/{content().etag}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": "Sat, 31 Jan 2026 12:00:00 GMT"},
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_tell_that_nothing_has_changed(self, method: str, headers: dict[str, Any]) -> None:
        found = asked(method, Range="bytes=0-1", **headers)

        assert (found.status_code, read(found)) == (304, b"")
        assert (found["ETag"], found["Cache-Control"]) == (content().etag, "private, no-cache, no-transform")

    @pytest.mark.parametrize(
        "headers", [{"If_Match": '"other"'}, {"If_Unmodified_Since": "Fri, 30 Jan 2026 12:00:00 GMT"}]
    )
    def test_refuse_another_version(self, headers: dict[str, Any]) -> None:
        with pytest.raises(PreconditionFailed):
            asked(**headers)

    def test_that_hold_change_nothing(self) -> None:
        assert read(asked(If_Match=content().etag, If_None_Match='"other"')) == BYTES


class TestParts:
    @pytest.mark.parametrize(
        ("said", "start", "end"),
        [("0-99", 0, 100), ("-96", 4000, 4096), ("4000-9999", 4000, 4096), ("0-5,6-9", 0, 10), ("0-", 0, 4096)],
    )
    def test_are_what_was_asked_for(self, said: str, start: int, end: int) -> None:
        found = asked(Range=f"bytes={said}", If_Range=content().etag)

        assert (found.status_code, read(found)) == (206, BYTES[start:end])
        assert found["Content-Range"] == f"bytes {start}-{end - 1}/4096"
        assert found["Content-Length"] == str(end - start)

    def test_come_several_in_one_answer(self) -> None:
        found = asked(Range="bytes=100-199,0-9,-5")

        body = read(found)
        kind, _, boundary = found["Content-Type"].partition("; boundary=")
        assert (found.status_code, kind, int(found["Content-Length"])) == (206, "multipart/byteranges", len(body))
        told = [each.partition(b"\r\n\r\n") for each in body.split(f"\r\n--{boundary}".encode())[1:-1]]
        assert [data for _, _, data in told] == [BYTES[100:200], BYTES[:10], BYTES[-5:]]
        assert [head.split(b"\r\n")[1:] for head, _, _ in told] == [
            [b"Content-Type: application/pdf", f"Content-Range: bytes {part}/4096".encode()]
            for part in ("100-199", "0-9", "4091-4095")
        ]
        assert body.endswith(f"\r\n--{boundary}--\r\n".encode())

    @pytest.mark.parametrize("said", ["4096-", ",".join(f"{each * 2}-{each * 2}" for each in range(17))])
    def test_that_there_are_not_are_refused(self, said: str) -> None:
        found: Any = asked(Range=f"bytes={said}")

        assert (found.status_code, found["Content-Range"]) == (416, "bytes */4096")
        assert b"range_not_satisfiable" in found.content

    @pytest.mark.parametrize("condition", [f"W/{content().etag}", "Sat, 31 Jan 2026 12:00:00 GMT"])
    def test_are_of_the_version_that_is_certain(self, condition: str) -> None:
        assert asked(Range="bytes=0-1", If_Range=condition).status_code == 200


class TestWhatABrowserWouldRun:
    @pytest.mark.parametrize(
        "mime_type",
        [
            *("text/html", "TEXT/HTML", "text/html; charset=x", "application/xhtml+xml", "image/svg+xml", "text/xml"),
            *("application/atom+xml", "text/javascript", "application/x-shockwave-flash", "multipart/related"),
            *("message/rfc822", "application/wasm", "text/cache-manifest", "application/java-archive", "", "x\r\ny: z"),
        ],
    )
    @pytest.mark.parametrize("inline", [False, True])
    def test_is_neither_shown_nor_called_so(self, mime_type: str, inline: bool) -> None:
        found = asked(inline=inline, of=content(mime_type=mime_type))

        assert found["Content-Type"] == "application/octet-stream"
        assert found["Content-Disposition"].startswith("attachment;")
        assert (
            found["Content-Security-Policy"] == "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert found["X-Content-Type-Options"] == "nosniff"

    def test_is_not_what_only_shows_itself(self) -> None:
        found = asked(inline=True, of=content(mime_type="text/plain", name="a.txt"))

        assert (found["Content-Type"], found["Content-Disposition"]) == (
            "text/plain; charset=utf-8",
            'inline; filename="a.txt"',
        )
        assert asked(of=content(mime_type="image/png"))["Content-Disposition"].startswith("attachment")
        for kind in ("application/vnd.shp", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"):
            assert asked(of=content(mime_type=kind), inline=True)["Content-Type"] == kind


class TestFileName:
    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("Deed of 1902.pdf", "Deed of 1902.pdf"),
            ("Übertrag №7.pdf", "Übertrag №7.pdf"),
            ("a\r\nSet-Cookie: x=y.pdf", "a__Set-Cookie_ x=y.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..\\..\\a.exe", "_.._a.exe"),
            ('a"b;c.pdf', "a_b;c.pdf"),
            ("invoice\u202efdp.exe", "invoice_fdp.exe"),
            ("a\u2066b\u200f.pdf", "a_b_.pdf"),
            ("a\x00b\x7f\x85.pdf", "a_b__.pdf"),
            (
                "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf",
                "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf",
            ),
            ("\ud800.pdf", "_.pdf"),
            (" . ", "file"),
            ("..", "file"),
            ("", "file"),
            (".htaccess", "htaccess"),
            ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ],
    )
    def test_harms_neither_a_header_nor_a_folder(self, name: str, kept: str) -> None:
        found = asked(of=content(name=name))

        assert file_name(name) == kept
        header = found["Content-Disposition"]
        assert re.fullmatch(r"[ -~]+", header)
        read_back = Message()
        # Who reads the other one passes this one by, unlike this parser.
        read_back["Content-Disposition"] = re.sub(r"; filename=\"[^\"]*\"(?=; filename\*)", "", header)
        assert read_back.get_filename() == kept


class TestDelivery:
    def test_by_the_web_server_names_the_file_and_sends_nothing(self, settings: Settings) -> None:
        settings.DOCUMENTS_DELIVERY = "internal"

        found = asked(Range="bytes=0-1", of=content(key="1/documents/4/2/a b%\u00fc.pdf"))

        assert (found.status_code, read(found)) == (200, b"")
        assert found["X-Accel-Redirect"] == "/documents-files/1/documents/4/2/a%20b%25%C3%BC.pdf"
        assert found["Content-Disposition"].startswith("attachment")

    def test_by_the_place_itself_is_an_address_that_is_signed(self, settings: Settings) -> None:
        settings.DOCUMENTS_DELIVERY = "signed"

        found = asked()

        assert found.status_code == 302
        assert found["Location"].startswith(f"{settings.CONSOLE_URL}/files/")
        assert found["Cache-Control"] == "no-store"
        assert asked("HEAD")["Content-Length"] == "4096"
        assert read(asked(inline=True, of=content(mime_type="image/png"))) == BYTES, (
            "such an address is always of what is kept"
        )
        assert asked(If_None_Match=content().etag).status_code == 304
        with pytest.raises(FileAway):
            asked(of=content(key="1/gone"))


class TestAFileThatIsNotThere:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("ranges", ["", "bytes=0-1", "bytes=0-1,5-6"])
    def test_is_told_before_the_first_byte(self, method: str, ranges: str) -> None:
        asking: dict[str, Any] = {"Range": ranges} if ranges else {}

        with pytest.raises(FileAway) as away:
            asked(method, of=content(key="1/gone"), **asking)

        assert away.value.status == HTTPStatus.NOT_FOUND

    def test_is_not_one_that_cannot_be_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def out_of_reach(*_: Any, **__: Any) -> None:
            raise Unavailable

        monkeypatch.setattr(documents(), "stream", out_of_reach)
        with pytest.raises(Unavailable):
            asked()

    @pytest.mark.parametrize("ranges", ["bytes=0-", "bytes=0-1,4000-4099"])
    def test_any_more_breaks_the_answer_off(self, ranges: str) -> None:
        found = asked(of=content(size=len(BYTES) + 4), Range=ranges)

        with pytest.raises(FileCutShort):
            read(found)

    @pytest.mark.parametrize("ranges", ["bytes=0-", "bytes=0-1,4000-4009"])
    def test_any_more_for_somebody_who_has_gone_is_let_go_of(self, ranges: str, no_places: None) -> None:
        found: Any = asked(Range=ranges)
        with pytest.raises(TooManyTransfers):
            asked()

        for close in found._resource_closers:  # as the server does, without a database
            close()

        assert asked().status_code == 200
        assert list(found.streaming_content) == []


def test_what_is_shown_is_nothing_that_runs() -> None:
    assert not [each for each in serving.SHOWN if serving.RUN.search(each)]
