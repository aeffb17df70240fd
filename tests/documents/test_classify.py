"""What a file is, whatever it is called."""

import io
import zipfile

import pytest

from documents.classify import HEAD_BYTES, Kind, fits, kind_of, runs_in_browser

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
DWG = b"AC1032\0\0\0\0\0" + bytes(100)
UNHEARD_OF = bytes(range(256))
HTML, SVG, XML, TEXT = "text/html", "image/svg+xml", "application/xml", "text/plain"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return made.getvalue()


# What it holds, what it is called, what it is.
FILES: list[tuple[bytes, str, str]] = [
    (b"%PDF-1.7\nall of it letters", "deed", "application/pdf"),
    (b"{\\rtf1 a}", "a.rtf", "application/rtf"),
    (PNG, "scan.png", "image/png"),
    (PNG, "scan.jpg", "image/png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + bytes(50), "scan.jpg", "image/jpeg"),
    (b"II*\0" + bytes(50), "plat.tif", "image/tiff"),
    (archive("word/document.xml", "[Content_Types].xml"), "a.docx", DOCX),
    (archive("word/document.xml"), "a.zip", DOCX),
    (archive("doc.kml"), "tract.kmz", "application/vnd.google-earth.kmz"),
    (archive("a"), "deed.pdf", "application/zip"),
    (OLE, "old.doc", "application/msword"),
    (OLE, "mail.msg", "application/vnd.ms-outlook"),
    (OLE, "deed.pdf", "application/x-ole-storage"),
    (UNHEARD_OF, "tract.shp", "application/vnd.shp"),
    (UNHEARD_OF, "deed.pdf", "application/octet-stream"),
    (UNHEARD_OF, "deed.html", "application/octet-stream"),
    (b"", "deed.pdf", "application/pdf"),
    (b"", "deed", TEXT),
    # Text, and what a browser would run of it.
    (b"Lot 4, Section 7\n", "a.txt", TEXT),
    (b"a,b\n1,2\n", "a.csv", "text/csv"),
    (b'{"a": 1}', "a.json", "application/json"),
    (b"Lot 4", "deed.pdf", TEXT),
    (b"BM, the Bureau", "a.txt", TEXT),  # as a bitmap begins
    ("Fl\xe4che".encode("cp1252"), "a.txt", TEXT),
    ("Fl\xe4che".encode("utf-16"), "a.txt", TEXT),
    (b"\xef\xbb\xbf  <!DOCTYPE html>", "a.txt", HTML),
    ("<html>".encode("utf-16"), "a.txt", HTML),
    (b"<HTML >", "a.pdf", HTML),
    (b"<!-- x --><body>", "a.txt", HTML),
    (b"Lot 4 <script>alert(1)</script>", "a.txt", HTML),
    (b"<p>Lot", "a.txt", HTML),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "a.png", SVG),
    (b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg [<!ENTITY a 'b'>]>\n<svg:svg>", "a.xml", SVG),
    (b"<?xml version='1.0'?><html>", "a.txt", "application/xhtml+xml"),
    (b"<html xmlns='http://www.w3.org/1999/xhtml'>", "a.txt", "application/xhtml+xml"),
    (b"<?xml version='1.0'?><a/>", "a.txt", XML),
    (b"<?xml version='1.0'?><kml/>", "tract.kml", "application/vnd.google-earth.kml+xml"),
    (b"<kml>", "tract.kml", "application/vnd.google-earth.kml+xml"),
    (b"<?xml version='1.0'?><a/>", "a.svg", XML),
    (b"alert(1)", "a.js", "text/javascript"),
]


class TestKindOf:
    @pytest.mark.parametrize(("content", "name", "kind"), FILES, ids=[f"{row[1]} {row[2]}" for row in FILES])
    def test_goes_by_what_it_holds(self, content: bytes, name: str, kind: str) -> None:
        assert kind_of(content, name=name).mime_type == kind

    def test_lets_a_character_be_cut(self) -> None:
        content = b"x" * (HEAD_BYTES - 1) + "\xe4".encode()

        assert kind_of(content[:HEAD_BYTES], name="a.txt") == Kind(mime_type=TEXT)

    @pytest.mark.parametrize(
        ("content", "name", "declared", "contradicts"),
        [
            (b"%PDF-", "deed.pdf", "application/pdf", ""),
            (b"%PDF-", "deed.pdf", "application/x-pdf; v=1", ""),
            (b"%PDF-", "deed", "application/octet-stream", ""),
            (b"%PDF-", "deed.pdf", "image/png", "image/png"),
            (b"<html>", "deed.pdf", "", "application/pdf"),
            (b"<html>", "deed.txt", "text/plain", "text/plain"),
            (UNHEARD_OF, "deed.pdf", "", "application/pdf"),
            (UNHEARD_OF, "tract.shp", "", ""),
            (b"a;b", "a.csv", "text/plain", ""),
            (archive("a"), "a.docx", "application/zip", ""),
        ],
    )
    def test_tells_what_was_said_and_is_not_so(
        self, content: bytes, name: str, declared: str, contradicts: str
    ) -> None:
        assert kind_of(content, name=name, declared=declared).contradicts == contradicts


class TestFits:
    @pytest.mark.parametrize(
        ("said", "found", "does"),
        [
            ("image/jpg", "image/jpeg", True),
            ("text/xml", "application/xml", True),
            ("image/svg+xml", "application/xml", True),
            ("application/xhtml+xml", "text/html", True),
            ("text/html", "image/svg+xml", False),
            ("text/javascript", "text/plain", False),
            ("application/msword", "application/x-ole-storage", True),
            ("application/zip", DOCX, True),
            ("image/png", DOCX, False),
        ],
    )
    def test_is_what_people_would_say(self, said: str, found: str, does: bool) -> None:
        assert fits(said, found) is does


@pytest.mark.parametrize(
    ("kind", "runs"), [(HTML, True), ("Text/XML; a=b", True), (SVG, True), ("application/kml+xml", True), (TEXT, False)]
)
def test_it_is_known_what_a_browser_would_run(kind: str, runs: bool) -> None:
    assert runs_in_browser(kind) is runs
