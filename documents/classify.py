"""What kind of file it is, by what it holds. What somebody says it is, or its name, only says the rest."""

import re
from dataclasses import dataclass

import filetype

from storage.backends.types import type_of

# So much of the beginning is looked at.
HEAD_BYTES = 64 * 1024
UNKNOWN, TEXT, HTML, SVG, XHTML, XML = (
    "application/octet-stream",
    "text/plain",
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "application/xml",
)
# What a browser would run, or what can hold what it would run.
ACTIVE = frozenset({HTML, SVG, XHTML, XML, "text/xml", "text/javascript", "application/javascript", "application/ecmascript",
                    "application/x-javascript", "text/ecmascript", "application/xslt+xml", "application/mathml+xml",
                    "multipart/related", "message/rfc822", "application/x-shockwave-flash"})  # fmt: skip
# Two words for one thing; the second is ours.
ALIASES = {
    "application/x-zip-compressed": "application/zip",
    "application/x-pdf": "application/pdf",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "text/xml": XML,
    "application/x-gzip": "application/gzip",
    "audio/x-wav": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "application/x-rar-compressed": "application/x-rar",
    "application/vnd.rar": "application/x-rar",
    "text/rtf": "application/rtf",
}
ZIP, OLE = "application/zip", "application/x-ole-storage"
ZIP_MAGIC, OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Kinds of file that are ZIP archives, or the older compound files, and are told apart by their names.
IN_ZIP = re.compile(
    r"application/(vnd\.(openxmlformats-officedocument|oasis\.opendocument|ms-(excel|word|powerpoint)|google-earth\.kmz)\b.*"
    r"|epub\+zip|java-archive|zip)"
)
IN_OLE = re.compile(r"application/(msword|vnd\.ms-(excel|powerpoint|outlook|project)|vnd\.visio|x-msi|x-ole-storage)")
WRITTEN = re.compile(
    r"text/.*|application/(json|geo\+json|ld\+json|x-ndjson|sql|yaml|toml|x-sh|javascript|csv)|.*\+json"
)
# As browsers themselves tell HTML (WHATWG, “MIME Sniffing”, 7.1), and a script wherever it stands in the beginning.
_HTML = re.compile(
    r"\s*<(!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>]", re.IGNORECASE
)
_SCRIPT = re.compile(r"<script[\s>]", re.IGNORECASE)
_BEFORE_ROOT = re.compile(r"\s*(<\?.*?\?>|<!--.*?-->|<!doctype[^\[>]*(\[.*?\]\s*)?>|\s)*", re.IGNORECASE | re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
# Of what is written in letters all the same, and is no text.
_LETTERED = {b"%PDF-": "application/pdf", b"{\\rtf": "application/rtf", b"%!PS": "application/postscript"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
         (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # fmt: skip
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What kind of file it is.

    Attributes:
        mime_type: by what it holds, as far as that tells.
        contradicts: what was said of it and is not so; empty where all fits.
    """

    mime_type: str
    contradicts: str = ""


def kind_of(head: bytes, *, name: str, declared: str = "") -> Kind:
    """What kind of file begins so.

    Args:
        head: its first `HEAD_BYTES`, or all of it.
        declared: what whoever sent it says; empty: nothing.
    """
    by_name = type_of(name)
    found = _of_content(head, by_name=by_name, declared=_plain(declared))
    said = (each for each in (declared, by_name) if each and not fits(each, found))
    return Kind(mime_type=found, contradicts=next(said, ""))


def fits(said: str, found: str) -> bool:
    """Whether it can be called so, being that."""
    said, found = _plain(said), _plain(found)
    if said in {found, UNKNOWN} or (found == UNKNOWN and not _is_recognised(said)):
        return True
    if found in ACTIVE:
        return (said in ACTIVE and found == XML) or (found == HTML and said == XHTML)
    if found in {ZIP, OLE}:
        return bool((IN_ZIP if found == ZIP else IN_OLE).fullmatch(said))
    if IN_ZIP.fullmatch(found):
        return said == ZIP
    return bool(WRITTEN.fullmatch(said) and WRITTEN.fullmatch(found)) and said not in ACTIVE


def runs_in_browser(mime_type: str) -> bool:
    """Whether a browser that was shown it might run what is in it."""
    plain = _plain(mime_type)
    return plain in ACTIVE or plain.endswith("+xml")


def _of_content(head: bytes, *, by_name: str, declared: str) -> str:
    if not head:
        return by_name or declared or TEXT
    for magic, found in _LETTERED.items():
        if head.startswith(magic):
            return found
    text = _text_of(head)
    if text is not None:
        return _of_text(text, by_name=by_name, declared=declared)
    if head.startswith(ZIP_MAGIC):
        return _of_family(IN_ZIP, ZIP, by_name, declared, str(filetype.guess_mime(head) or ""))
    if head.startswith(OLE_MAGIC):
        return _of_family(IN_OLE, OLE, by_name, declared)
    found = str(filetype.guess_mime(head) or "")
    # Nobody knows it by its content, so its name may tell; but not that it is of a kind that would have been known.
    unknown = next((each for each in (by_name, declared) if each and not _is_recognised(each)), UNKNOWN)
    return _plain(found) or unknown


def _of_family(family: re.Pattern[str], otherwise: str, *said: str) -> str:
    return next((each for each in said if family.fullmatch(each) and each != otherwise), otherwise)


def _of_text(text: str, *, by_name: str, declared: str) -> str:
    before = _BEFORE_ROOT.match(text)
    begin = before.end() if before else 0
    root = _ROOT.match(text, begin)
    first = root.group(1).lower() if root else ""
    is_xml = text.lstrip().startswith("<?xml")
    if first == "svg":
        return SVG
    if first == "html" and (is_xml or "http://www.w3.org/1999/xhtml" in text):
        return XHTML
    if not is_xml and (_HTML.match(text) or _HTML.match(text, begin) or _SCRIPT.search(text)):
        return HTML
    if is_xml or (first and by_name.endswith("xml")):
        return by_name if by_name.endswith("+xml") and by_name not in ACTIVE else XML
    return next((each for each in (by_name, declared) if WRITTEN.fullmatch(each)), TEXT)


def _text_of(head: bytes) -> str | None:
    """The beginning as text; None if it is none."""
    coding = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    for each in (coding,) if coding else ("utf-8", "cp1252"):
        try:
            # The last character may be cut.
            text = head.decode(each, errors="strict" if len(head) < HEAD_BYTES else "ignore")
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text.removeprefix("\ufeff")
    return None


def _is_recognised(mime_type: str) -> bool:
    """Whether something of that kind is known by what it holds, so that what is not known is not of it."""
    known = {_plain(each.mime) for each in filetype.TYPES}
    written = WRITTEN.fullmatch(mime_type) or mime_type in ACTIVE or mime_type.endswith("+xml")
    return bool(
        mime_type in known
        or written
        or mime_type in _LETTERED.values()
        or IN_ZIP.fullmatch(mime_type)
        or IN_OLE.fullmatch(mime_type)
    )


def _plain(mime_type: str) -> str:
    plain = mime_type.partition(";")[0].strip().lower()
    return ALIASES.get(plain, plain)
