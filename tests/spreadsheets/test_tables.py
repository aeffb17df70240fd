"""What people choose to import: every encoding, every kind of damage; a table or one sentence."""

import io
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from console.records.formulas import defused
from spreadsheets.delimited import NO_SEPARATOR
from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import DAMAGED, MAX_ROWS, Choices, Row, read_table
from spreadsheets.workbooks import CALCULATED

TABLE = "Agency,Lease Number\r\nBLM,NMNM 0501759\r\nNMSLO,Señor 1\r\n"
ROWS = [["Agency", "Lease Number"], ["BLM", "NMNM 0501759"], ["NMSLO", "Señor 1"]]


def workbook(*rows: list[Any], sheets: int = 1) -> bytes:
    """An XLSX file whose last sheet holds the rows."""
    book = Workbook()
    for _ in range(sheets - 1):
        book.create_sheet()
    for row in rows:
        book.worksheets[-1].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def packed(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return file.getvalue()


def cells(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_table(name="leases.csv", content=content).rows]


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_table(name="leases.csv", content=content)
    return str(caught.value)


class TestCsv:
    @pytest.mark.parametrize(
        ("encoding", "read_as"),
        [
            ("utf-8", "CSV, UTF-8"),
            ("utf-8-sig", "CSV, UTF-8"),
            ("utf-16", "CSV, UTF-16"),
            ("utf-16-le", "CSV, UTF-16"),
            ("utf-16-be", "CSV, UTF-16"),
            ("cp1252", "CSV, Windows-1252"),
        ],
    )
    def test_is_read_in_every_encoding_that_spreadsheets_write(self, encoding: str, read_as: str) -> None:
        table = read_table(name="leases.csv", content=TABLE.encode(encoding))

        assert [row.cells for row in table.rows] == ROWS
        assert table.read_as == read_as

    @pytest.mark.parametrize("separator", [";", "\t", "|"])
    def test_may_separate_its_cells_by_what_is_usual_elsewhere(self, separator: str) -> None:
        assert cells(TABLE.replace(",", separator).encode()) == ROWS

    def test_may_say_what_separates_its_cells(self) -> None:
        table = read_table(name="x", content=b"sep=;\r\na,b;c\r\n")

        assert table.rows == [Row(number=2, cells=["a,b", "c"])]

    def test_keeps_the_numbers_of_its_rows_where_some_are_empty_or_long(self) -> None:
        found = read_table(name="x", content=b'a,b\n\n , \n"two\nlines",c\nd,e\n').rows

        assert [(row.number, row.cells) for row in found] == [
            (1, ["a", "b"]),
            (4, ["two\nlines", "c"]),
            (6, ["d", "e"]),
        ]

    def test_loses_blanks_around_cells_and_what_an_export_put_in_front(self) -> None:
        assert cells(f' a ,"{defused("=1+1")}",\'b'.encode()) == [["a", "=1+1", "b"]]

    def test_says_that_it_is_wider_than_what_is_read(self) -> None:
        wide = read_table(name="x", content=b"," * 50 + b"x\n1,2\n")

        assert wide.notes == ["Only the first 50 columns are read."]
        assert read_table(name="x", content=b"1" + b"," * 60).notes == []

    def test_keeps_a_row_that_holds_something_only_beyond(self) -> None:
        wide = read_table(name="x", content=b"1,2\n" + b"," * 50 + b"x\n,,\n3,4\n")

        assert [(row.number, row.cells) for row in wide.rows] == [(1, ["1", "2"]), (2, []), (4, ["3", "4"])]

    def test_says_which_cell_cannot_be_read(self) -> None:
        (row,) = read_table(name="x", content=b"BLM,NM\x02NM 0501759 and more\n").rows

        assert row.problems == {1: DAMAGED}

    def test_reads_the_text_of_a_link_and_doubts_it(self) -> None:
        (row,) = read_table(name="x", content=b'BLM,"=HYPERLINK(""https://example.com/1"",""NMNM 1"")"\n').rows

        assert (row.cells, row.doubts) == (["BLM", "NMNM 1"], {1: CALCULATED})

    def test_keeps_no_cell_that_is_far_too_long(self) -> None:
        assert len(cells(b"x" * 5_000)[0][0]) == 501


class TestSeparator:
    """What makes the rows equally wide, wherever else it stands."""

    @pytest.mark.parametrize(
        ("text", "separator"),
        [
            ("Agency;Legal\nBLM;T. 17 S., R. 30 E., lots 1, 2\nBLM;sec. 1, 2\n", ";"),
            ("BLM;1;a, b, c\nBLM;2;d, e, f\n", ";"),
            ("BLM;NMNM 1;1,5\nBLM;NMNM 2;2,5\n", ";"),
            ('Agency,Number\nBLM,"1;2;3"\nBLM,"4;5;6"\n', ","),
            ('Agency, Number\nBLM, "NMNM 1, NMNM 2"\nBLM, "NMNM 3"\n', ","),
            ("a|b\n1,2|3\n", "|"),
            ("Leases, as of today, of everybody\na\tb\nc\td\n", "\t"),
            ("Lease Number\nNMNM 1\nNMNM 2\n", ","),
        ],
    )
    def test_is_found(self, text: str, separator: str) -> None:
        assert read_table(name="x", content=text.encode()).read_by.separator == separator

    def test_leaves_what_stands_in_quotation_marks_behind_a_blank_alone(self) -> None:
        assert cells(b'Agency, Number\nBLM, "NMNM 1, NMNM 2"\n')[1] == ["BLM", "NMNM 1, NMNM 2"]

    def test_can_be_chosen(self) -> None:
        table = read_table(name="x", content=b"a;b,c\nd;e,f\n", choices=Choices(separator=","))

        assert [row.cells for row in table.rows] == [["a;b", "c"], ["d;e", "f"]]

    def test_can_be_none(self) -> None:
        table = read_table(name="x", content=b"a;b,c\r\n\r\nd\x1c,e\n", choices=Choices(separator=NO_SEPARATOR))

        assert [(row.number, row.cells) for row in table.rows] == [(1, ["a;b,c"]), (3, ["d\ufffd,e"])]

    def test_is_none_that_nobody_knows(self) -> None:
        assert read_table(name="x", content=b"a;b\n", choices=Choices(separator="x")).read_by.separator == ";"


class TestRefusals:
    """One sentence each, with what to do."""

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\n \t\r\n", b"\0\0\0"])
    def test_of_an_empty_file(self, content: bytes) -> None:
        assert refusal(content).startswith(("“leases.csv” is empty", "“leases.csv” has no row"))

    @pytest.mark.parametrize("content", [b" , ,\n,,", workbook(), workbook(["", None])])
    def test_of_a_table_without_anything_in_it(self, content: bytes) -> None:
        assert refusal(content).startswith("“leases.csv” has no row with anything in it.")

    def test_of_100_megabytes(self) -> None:
        assert refusal(b"a" * 100_000_000) == (
            "This file has 100.0 MB; at most 10 MB can be imported at once. Split it."
        )

    @pytest.mark.long
    def test_of_too_many_rows(self) -> None:
        assert len(cells(b"BLM,1\n" * MAX_ROWS)) == MAX_ROWS
        assert refusal(b"BLM,1\n" * (MAX_ROWS + 2)).startswith("This file has more than 20,000 rows.")

    def test_of_characters_in_no_known_encoding(self) -> None:
        assert "encodings UTF-8, UTF-16 and Windows-1252" in refusal(b"BLM,\x81\x8d\x8f\n")

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\x7fELF\x02\x01\x01", packed(a="b")])
    def test_of_what_is_no_table(self, content: bytes) -> None:
        assert refusal(content).startswith("This is no table")

    def test_of_an_old_workbook_and_of_one_with_a_password(self) -> None:
        assert "Save it as .xlsx" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)

    def test_of_a_pdf_file(self) -> None:
        assert "PDF" in refusal(b"%PDF-1.7\n")

    def test_of_a_picture(self) -> None:
        assert refusal(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\x90\x81\x8d").startswith("This is no table")

    def test_of_a_quotation_mark_that_never_ends(self) -> None:
        assert refusal(b'BLM,1\nBLM,"2\nBLM,3\n') == (
            "The row that begins in line 2 cannot be read: a quotation mark is missing or too many. Correct it."
        )

    def test_of_a_cell_that_is_longer_than_any(self) -> None:
        assert refusal(b"BLM,1\nBLM," + b"A" * 200_000) == (
            "The row that begins in line 2 cannot be read: a cell has more than 131,072 characters. "
            "Shorten it, or see whether a quotation mark is missing."
        )

    @pytest.mark.long
    def test_of_far_more_than_lease_numbers(self) -> None:
        assert refusal((b"," * 49 + b"x\n") * 8_001).startswith("This file holds too much besides its table.")

    @pytest.mark.parametrize("share", [0.3, 0.9])
    def test_of_half_a_workbook(self, share: float) -> None:
        whole = workbook(*[["BLM", f"NMNM {n}"] for n in range(100)])

        assert refusal(whole[: int(len(whole) * share)]).startswith("This XLSX file is broken.")

    @pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"])
    @pytest.mark.parametrize("text", ["", "<a", "<a/>", "\0\1"])
    def test_of_a_workbook_with_a_damaged_part(self, part: str, text: str) -> None:
        with zipfile.ZipFile(io.BytesIO(workbook(["BLM", "A1"]))) as package:
            parts = {each: package.read(each).decode() for each in package.namelist()}

        assert refusal(packed(**parts | {part: text})).startswith(
            ("This XLSX file is broken.", "“leases.csv” has no row")
        )
