"""What spreadsheets hold besides texts, and what no spreadsheet holds: read as a person sees it, or refused at once."""

import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import Choices, Row, Table, read_table
from spreadsheets.workbooks import BOOLEAN, CALCULATED, DATE, INEXACT, RELATIONS, UNKNOWN
from spreadsheets.xml_parts import MAX_UNPACKED_BYTES

BOOK, SHEET, STRINGS, STYLES = (
    f"xl/{part}.xml" for part in ("workbook", "worksheets/sheet1", "sharedStrings", "styles")
)
SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BROKEN, TOO_MUCH = "This XLSX file is broken.", "This XLSX file is too large once it is unpacked."


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def workbook(*rows: list[Any], sheets: int = 1, change: Callable[[Workbook], None] | None = None) -> bytes:
    """An XLSX file whose last sheet holds the rows."""
    book = Workbook()
    for _ in range(sheets - 1):
        book.create_sheet()
    for row in rows:
        book.worksheets[-1].append(row)
    if change:
        change(book)
    return saved(book)


def patched(parts: dict[str, str] | None = None, /, *, method: int = zipfile.ZIP_DEFLATED, **more: str) -> bytes:
    """A file with one cell, of which some parts are others."""
    names = {"book": BOOK, "sheet": SHEET, "strings": STRINGS, "styles": STYLES}
    changed = {SHEET: sheet('<row><c t="s"><v>0</v></c></row>')} | {
        names[name]: text for name, text in {**(parts or {}), **more}.items()
    }
    with zipfile.ZipFile(io.BytesIO(workbook(["A1"]))) as source:
        return packed({**{part: source.read(part) for part in source.namelist()}, **changed}, method)


def packed(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return file.getvalue()


def sheet(body: str) -> str:
    return f"<worksheet {SPACE}><sheetData>{body}</sheetData></worksheet>"


def read(content: bytes) -> Table:
    return read_table(name="leases.xlsx", content=content)


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(content)
    return str(caught.value)


def only(*cells: Any, number_format: str = "General") -> Row:
    """The row that a file with these cells is read as."""

    def change(book: Workbook) -> None:
        for cell in book.worksheets[0][1]:
            if number_format != "General":
                cell.number_format = number_format

    return read(workbook(list(cells), change=change)).rows[0]


class TestCells:
    def test_are_read_as_people_see_them(self) -> None:
        row = only("BLM", 501759, 5.0, 5.5, 0.1 + 0.2, None, "'=x", " a ")

        assert row == Row(number=1, cells=["BLM", "501759", "5", "5.5", "0.3", "", "=x", "a"])

    def test_are_problems_where_they_are_no_text(self) -> None:
        at = datetime(2026, 11, 21, 13, 30, tzinfo=UTC).replace(tzinfo=None)

        row = only(at, at.date(), at.time(), timedelta(hours=30), True)

        assert row.problems == {0: DATE, 1: DATE, 2: DATE, 3: DATE, 4: BOOLEAN}
        assert row.cells[:3] == ["2026-11-21 13:30:00", "2026-11-21", "13:30:00"]
        assert row.cells[4] == "TRUE"

    @pytest.mark.parametrize("number", [1e21, 1e15, -1e15, 0.00000001])
    def test_are_problems_where_a_spreadsheet_has_lost_digits(self, number: float) -> None:
        assert only(number).problems == {0: INEXACT}

    def test_are_problems_where_a_date_is_out_of_the_calendar(self) -> None:
        assert only(99999999999, number_format="yyyy-mm-dd") == Row(number=1, cells=["99999999999"], problems={0: DATE})

    def test_count_days_from_1904_where_the_file_says_so(self) -> None:
        def change(book: Workbook) -> None:
            book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet knows no zones

        assert read(workbook([date(2026, 11, 21)], change=change)).rows[0].cells == ["2026-11-21"]

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ('<c t="str"><f>A1</f><v>NMNM 1</v></c>', Row(number=1, cells=["NMNM 1"], doubts={0: CALCULATED})),
            ("<c><f>1+1</f><v>2</v></c>", Row(number=1, cells=["2"], doubts={0: CALCULATED})),
            ('<c t="b"><f>1=1</f><v>1</v></c>', Row(number=1, cells=["TRUE"], problems={0: BOOLEAN})),
            ('<c t="str"><f>UPPER("")</f><v></v></c>', Row(number=1, cells=['=UPPER("")'])),
            ('<c><f>HYPERLINK("x","A1")</f></c>', Row(number=1, cells=["A1"], doubts={0: CALCULATED})),
        ],
    )
    def test_of_formulas_are_the_text_that_is_stored_with_them(self, cell: str, expected: Row) -> None:
        assert read(patched(sheet=sheet(f"<row>{cell}</row>"))).rows == [expected]

    def test_are_formulas_where_no_text_is_stored(self) -> None:
        array, table = ArrayFormula("B1:B2", "=UPPER(A1:A2)"), DataTableFormula(ref="C1", r1="A1", dt2D=False)

        assert only("=A1", array, table).cells == ["=A1", "=UPPER(A1:A2)", "="]

    def test_have_the_zeros_in_front_that_their_format_shows(self) -> None:
        assert only(501759, number_format="00000000") == Row(number=1, cells=["00501759"])

    @pytest.mark.parametrize(
        ("number", "code"), [(501759, "000-000"), (5.5, "00"), (-5, "000"), (5, "0.00"), (5.5, "0")]
    )
    def test_are_doubted_where_their_format_shows_something_else(self, number: float, code: str) -> None:
        row = only(number, number_format=code)

        assert row.cells == [str(number)]
        assert row.doubts[0].startswith(f"The spreadsheet shows it in another way, by the format “{code}”")

    def test_may_have_parts_that_look_different(self) -> None:
        strings = f"<sst {SPACE}><si><r><t>NM</t></r><r><t>NM 1</t></r><rPh><t>x</t></rPh></si></sst>"

        assert read(patched(strings=strings)).rows[0].cells == ["NMNM 1"]

    def test_may_stand_in_parts_of_other_names(self) -> None:
        with zipfile.ZipFile(io.BytesIO(patched())) as source:
            parts = {name: source.read(name).decode() for name in source.namelist()}
        parts["xl/texts.xml"] = f"<sst {SPACE}><si><t>A9</t></si></sst>"
        relation = '<Relationship Id="x" Type="http://purl.oclc.org/sharedStrings" Target="texts.xml"/></Relationships>'
        parts[RELATIONS] = parts[RELATIONS].replace("</Relationships>", relation)

        assert read(packed(parts)).rows[0].cells == ["A9"]

    def test_may_stand_in_the_sheet_itself_and_not_say_where(self) -> None:
        inline = '<row><c t="inlineStr"><is><t>BLM</t></is></c><c t="str"><v>1</v></c></row>'

        assert read(patched(sheet=sheet(inline))).rows == [Row(number=1, cells=["BLM", "1"])]

    def test_of_a_kind_that_nobody_knows_are_problems(self) -> None:
        assert read(patched(sheet=sheet('<row><c t="x"><v>1</v></c><c t="d"><v>2</v></c></row>'))).rows[0].problems == {
            0: UNKNOWN,
            1: DATE,
        }

    @pytest.mark.parametrize(
        "cell", ['<c t="s"><v>9</v></c>', "<c><v>x</v></c>", '<c r="1"><v>1</v></c>', '<c s="99"><v>1</v></c>']
    )
    def test_that_lead_nowhere_break_the_file(self, cell: str) -> None:
        assert refusal(patched(sheet=sheet(f"<row>{cell}</row>"))).startswith(BROKEN)

    @pytest.mark.parametrize("row", ["0", "1048577", "x", "9" * 5_000])
    def test_stand_in_no_row_that_a_spreadsheet_has_not(self, row: str) -> None:
        assert refusal(patched(sheet=sheet(f'<row r="{row}"><c><v>1</v></c></row>'))).startswith(BROKEN)


class TestSheets:
    """The first one in sight that holds anything is read; what is not is told."""

    def test_without_anything_are_passed_over(self) -> None:
        table = read(workbook([], ["BLM", "A1"], sheets=3))

        assert (table.rows, table.notes) == ([Row(number=2, cells=["BLM", "A1"])], [])
        assert (table.read_by.sheet, table.sheets) == ("Sheet2", ["Sheet", "Sheet1", "Sheet2"])

    def test_that_are_hidden_are_not_read(self) -> None:
        def hide(book: Workbook) -> None:
            book.worksheets[0].sheet_state = "hidden"
            book.create_sheet("Visible").append(["VISIBLE 1"])

        table = read(workbook(["HIDDEN 1"], change=hide))

        assert [row.cells for row in table.rows] == [["VISIBLE 1"]]
        assert table.notes == ["The sheet “Sheet” (hidden) is not read."]

    def test_that_are_all_hidden_are_refused(self) -> None:
        def hide(book: Workbook) -> None:
            book.worksheets[0].sheet_state = "veryHidden"
            book.create_sheet("Visible")

        assert refusal(workbook(["HIDDEN 1"], change=hide)) == (
            "The sheet “Sheet” (hidden) is not read. Show the sheet that is wanted in the spreadsheet, and save it."
        )

    @pytest.mark.parametrize(
        ("count", "note"),
        [
            (1, "The sheet “S1” is not read."),
            (2, "The sheets “S1” and “S2” are not read."),
            (5, "The sheets “S1”, “S2”, “S3” and 2 more are not read."),
        ],
    )
    def test_besides_the_first_are_named(self, count: int, note: str) -> None:
        def add(book: Workbook) -> None:
            for number in range(1, count + 1):
                book.create_sheet(f"S{number}").append([f"A{number}"])

        table = read(workbook(["A0"], change=add))

        assert [row.cells for row in table.rows] == [["A0"]]
        assert table.notes == [note]

    def test_may_have_hidden_rows_which_are_told(self) -> None:
        def hide(book: Workbook) -> None:
            book.worksheets[0].row_dimensions[2].hidden = True

        table = read(workbook(["A1"], ["A2"], change=hide))

        assert len(table.rows) == 2
        assert table.notes == ["1 row is hidden in the spreadsheet, but read."]

    def test_that_are_wider_than_what_is_read_are_told(self) -> None:
        table = read(workbook(["A1", *[""] * 60, "x"]))

        assert table.rows == [Row(number=1, cells=["A1"])]
        assert table.notes == ["Only the first 50 columns are read."]

    def test_can_be_chosen_also_a_hidden_one(self) -> None:
        def hide(book: Workbook) -> None:
            book.create_sheet("Other").append(["OTHER 1"])
            book.create_sheet("Old").append(["OLD 1"])
            book.worksheets[2].sheet_state = "hidden"

        content = workbook(["A1"], change=hide)

        other, old, gone = (
            read_table(name="x", content=content, choices=Choices(sheet=name)) for name in ("Other", "Old", "Gone")
        )
        assert [row.cells for row in other.rows] == [["OTHER 1"]]
        assert other.notes == ["The sheets “Sheet” and “Old” (hidden) are not read."]
        assert ([row.cells for row in old.rows], old.read_by.sheet) == ([["OLD 1"]], "Old")
        assert gone.read_by.sheet == "Sheet"


def sheets(count: int) -> str:
    names = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, count + 1))
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return f'<workbook {SPACE} xmlns:r="{relations}"><sheets>{names}</sheets></workbook>'


FAR = '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
LONG = f"<sst {SPACE}><si><t>{'A' * 500}</t></si></sst>"


@pytest.mark.long
class TestBombs:
    """A few kilobytes that would have become gigabytes, or minutes."""

    @pytest.mark.parametrize(
        ("bomb", "sentence"),
        [
            (lambda: patched(book=sheets(60), sheet=sheet("")), BROKEN),
            (lambda: patched(book=sheets(600), sheet=sheet(FAR)), "This file has more than 200 sheets."),
            (lambda: patched(strings=f"<sst {SPACE}>{'<si/>' * 4_000_000}</sst>"), TOO_MUCH),
            (
                lambda: patched(
                    strings=LONG, sheet=sheet(("<row>" + '<c t="s"><v>0</v></c>' * 50 + "</row>") * 11_000)
                ),
                TOO_MUCH,
            ),
            (
                lambda: patched(strings=LONG, sheet=sheet(("<row>" + '<c t="s"><v>0</v></c>' * 50 + "</row>") * 500)),
                "This file holds too much besides its table.",
            ),
            (
                lambda: patched(sheet=sheet("<row><c><v>1</v></c></row>" * 20_002)),
                "This file has more than 20,000 rows.",
            ),
            (lambda: patched(sheet=sheet(f"<row>{'<c/>' * 260_000}</row>")), TOO_MUCH),
            (lambda: patched(sheet=sheet(f"<row>{'<c>' * 260_000}{'</c>' * 260_000}</row>")), TOO_MUCH),
            (lambda: patched(sheet=" " * (MAX_UNPACKED_BYTES + 1)), TOO_MUCH),
            (lambda: patched(method=zipfile.ZIP_LZMA), BROKEN),
            (lambda: patched(method=zipfile.ZIP_BZIP2), BROKEN),
        ],
        ids=["one part", "sheets", "strings", "cells", "text", "rows", "row", "depth", "blanks", "lzma", "bzip2"],
    )
    def test_are_refused_at_once(self, bomb: Callable[[], bytes], sentence: str) -> None:
        content = bomb()
        assert len(content) < 200_000
        began = time.process_time()

        assert refusal(content).startswith(sentence)

        assert time.process_time() - began < 15

    def test_do_not_fill_the_rows_before_the_last(self) -> None:
        content = patched(sheet=sheet(FAR))
        tracemalloc.start()

        rows = read(content).rows

        assert rows == [Row(number=1_048_576, cells=["1"])]
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()

    @pytest.mark.parametrize("part", ["book", "sheet", "strings", "styles"])
    @pytest.mark.parametrize(
        "declared",
        [
            '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
            '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>',
        ],
        ids=["laughs", "file", "address"],
    )
    def test_may_not_declare_what_multiplies_itself_or_lies_elsewhere(self, part: str, declared: str) -> None:
        both = sheet('<row><c s="0"><v>1</v></c><c t="s"><v>0</v></c></row>')

        assert refusal(patched({"sheet": both, part: declared})).startswith(BROKEN)
