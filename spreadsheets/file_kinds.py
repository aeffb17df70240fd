"""Files that are no tables, whatever their names say: told by what they begin with, each named as what it is."""

import re
from collections.abc import Iterable

from spreadsheets.errors import UnreadableFile

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
BINARY = "This is no table: the file is neither CSV nor XLSX. Save the table as one of these, and choose that file."
SAVE = "Open it in a spreadsheet program, save the table as CSV or XLSX, and choose that file."
UNPACK = "Unpack it, and choose the table that is in it."
PICTURE = f"This is no table, but a picture. {BINARY.partition('. ')[2]}"

_OLD = "This is an old Excel file (.xls), or one with a password. Save it as .xlsx without one."
_VERY_OLD = f"This is a very old Excel file (.xls). {SAVE}"
# By the first bytes.
_BEGINNINGS = {
    OLE: _OLD,
    b"\x09\x08\x10\x00\x00\x06": _VERY_OLD,
    b"\x09\x08\x08\x00\x00\x05": _VERY_OLD,
    b"\x09\x04\x06\x00": _VERY_OLD,
    b"\x09\x02\x06\x00": _VERY_OLD,
    b"\x09\x00\x04\x00": _VERY_OLD,
    b"%PDF": "This is a PDF file. Save the table as CSV or XLSX, and choose that file.",
    b"{\\rtf": f"This is a text with formats (RTF), not a table. {SAVE}",
    b"\x1f\x8b": f"This is a packed file (gzip). {UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"This is a packed file (7z). {UNPACK}",
    b"Rar!\x1a\x07": f"This is a packed file (RAR). {UNPACK}",
    b"BZh91AY": f"This is a packed file (bzip2). {UNPACK}",
    b"\xfd7zXZ\x00": f"This is a packed file (xz). {UNPACK}",
    b"\x89PNG": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"GIF8": PICTURE,
    b"II*\x00": PICTURE,
    b"MM\x00*": PICTURE,
    b"SQLite format 3\x00": "This is a database (SQLite). Export the table from it as CSV, and choose that file.",
    b"PAR1": "This is a Parquet file. Export the table from it as CSV, and choose that file.",
}
# By a part of a ZIP file; the first that is there tells.
_PARTS = {
    "xl/workbook.bin": f"This is a binary Excel file (.xlsb). {SAVE}",
    "word/document.xml": "This is a Word document. Copy its table to a spreadsheet, save it as XLSX, and choose that file.",
    "ppt/presentation.xml": "This is a presentation. Copy its table to a spreadsheet, save it as XLSX, and choose that file.",
    "content.xml": f"This is an OpenDocument file (.ods or the like). {SAVE}",
    "Index/Document.iwa": f"This is an Apple iWork file (.numbers or the like). {SAVE}",
    "Index.zip": f"This is an Apple iWork file (.numbers or the like). {SAVE}",
    "doc.kml": f"This is a map (KMZ). {SAVE}",
}
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".dbf")

_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|table|meta|div|style|script|link|title|tr|center|font)\b", re.IGNORECASE
)
_MARKUP = re.compile(r"<[a-z!?]", re.IGNORECASE)
_HEAD = 4_000
_MARKUPS = {
    "urn:schemas-microsoft-com:office:spreadsheet": f"This is an XML spreadsheet of 2003, whatever its name says. {SAVE}",
    "<kml": f"This is a map (KML). {SAVE}",
    "urn:oasis:names:tc:opendocument": f"This is an OpenDocument file of one part (.fods). {SAVE}",
}
WEB_PAGE = f"This is a web page (HTML), whatever its name says. {SAVE}"
WEB_ARCHIVE = f"This is a saved web page (MHTML), whatever its name says. {SAVE}"
XML = f"This is an XML file, not a table. {SAVE}"
JSON = f"This is a JSON file, not a table. {SAVE}"
SYLK = f"This is a SYLK file (.slk). {SAVE}"


def refuse_other_kinds(content: bytes) -> None:
    """Name what is told by its first bytes.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    for beginning, sentence in _BEGINNINGS.items():
        if content.startswith(beginning):
            raise UnreadableFile(sentence)


def refuse_markup(text: str) -> None:
    """Name what is text, but no table.

    Raises:
        UnreadableFile: with the one thing to do about it.
    """
    head = text[:_HEAD].lstrip(" \t\r\n\ufeff\x00")
    if sentence := _of_markup(head, text) or _of_text(head, text):
        raise UnreadableFile(sentence)


def other_package(names: Iterable[str]) -> UnreadableFile:
    """What a ZIP file is that is no workbook, by the names of what is in it."""
    names = list(names)
    for part, sentence in _PARTS.items():
        if part in names:
            return UnreadableFile(sentence)
    if any(name.lower().endswith(_TABLES) for name in names):
        return UnreadableFile(f"This is a packed file (ZIP). {UNPACK}")
    return UnreadableFile(BINARY)


def _of_markup(head: str, text: str) -> str:
    if not _MARKUP.match(head):
        return ""
    if sentence := next((sentence for mark, sentence in _MARKUPS.items() if mark in head.lower()), ""):
        return sentence
    if _HTML.match(head) or "<html" in head.lower():
        return WEB_PAGE
    # Also what begins with a comment or a processing instruction; a cell may begin with “<”, but no table ends with “>”.
    is_closed = text.rstrip().endswith(">")
    if is_closed and _HTML.search(head):
        return WEB_PAGE
    return XML if head.startswith("<?xml") or is_closed else ""


def _of_text(head: str, text: str) -> str:
    if head.startswith("MIME-Version:") and "multipart/related" in head:
        return WEB_ARCHIVE
    if re.match(r'\{\s*"|\[\s*[{\["\]]', head) and text.rstrip().endswith(("}", "]")):
        return JSON
    return SYLK if head.startswith("ID;P") and "\nC;" in text else ""
