"""What is no table is named as what it is, whatever its name says."""

import io
import zipfile

import pytest

from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import read_table

TABLE = "<table><tr><td>BLM</td><td>NMNM 1</td></tr></table>"
BOOK_2003 = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'
)


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (f"<html><body>{TABLE}</body></html>".encode(), "This is a web page (HTML), whatever its name says."),
        (f"\r\n<!DOCTYPE HTML>{TABLE}".encode(), "This is a web page (HTML)"),
        (TABLE.encode("utf-16"), "This is a web page (HTML)"),
        (f"\ufeff<META charset=utf-8>{TABLE}".encode(), "This is a web page (HTML)"),
        (f'<?xml version="1.0"?><html xmlns="x">{TABLE}</html>'.encode(), "This is a web page (HTML)"),
        (f"<!-- Report -->{TABLE}\n".encode(), "This is a web page (HTML)"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n", "This is a saved web page (MHTML)"),
        (BOOK_2003.encode(), "This is an XML spreadsheet of 2003, whatever its name says."),
        (b'<?xml version="1.0"?>\n<rows><row/></rows>', "This is an XML file, not a table."),
        (b"<rows><row/></rows>\n", "This is an XML file, not a table."),
        (b'<?xml version="1.0"?><kml></kml>', "This is a map (KML)."),
        (b'{"type": "FeatureCollection", "features": []}', "This is a JSON file, not a table."),
        (b'[{"lease": "NMNM 1"}]\n', "This is a JSON file, not a table."),
        (b"{\\rtf1 BLM}", "This is a text with formats (RTF)"),
        (b"ID;PWXL;N;E\nP;PGeneral\nC;Y1;X1;K1\nE\n", "This is a SYLK file (.slk)."),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00BLM", "This is a very old Excel file (.xls)."),
        (b"\x1f\x8b\x08\x00", "This is a packed file (gzip). Unpack it"),
        (b"SQLite format 3\x00", "This is a database (SQLite)."),
        (b"\xff\xd8\xff\xe0", "This is no table, but a picture. Save the table"),
        (zipped("mimetype", "content.xml"), "This is an OpenDocument file (.ods or the like)."),
        (zipped("xl/workbook.bin"), "This is a binary Excel file (.xlsb)."),
        (zipped("word/document.xml"), "This is a Word document."),
        (zipped("Index/Document.iwa"), "This is an Apple iWork file"),
        (zipped("a.txt", "b/Leases.CSV"), "This is a packed file (ZIP). Unpack it"),
        (zipped("a"), "This is no table: the file is neither CSV nor XLSX."),
    ],
)
def test_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_table(name="leases.xls", content=content)

    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    "content",
    [b"<none>,BLM\n<b>,1\n", b"ID;Number\n1;NMNM 1\n", b"[x],BLM\n", b"{a},1\n", b"BM,1\n", b"MIME-Version,1\n"],
)
def test_a_table_is_not_taken_for_something_else(content: bytes) -> None:
    assert read_table(name="x", content=content).rows
