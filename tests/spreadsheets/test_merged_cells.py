"""Merged cells of a workbook: read as a person reads them, and told."""

import time
from typing import TYPE_CHECKING, Any

import pytest

from spreadsheets.tables import MAX_ROWS, Table
from spreadsheets.workbooks import BOOLEAN
from tests.spreadsheets.test_workbooks import BROKEN, patched, read, refusal, sheet, workbook

if TYPE_CHECKING:
    from openpyxl import Workbook


class TestMergedCells:
    """As a person reads them: the text of the area stands in each of its rows."""

    def merged(self, *areas: str, rows: list[list[Any]]) -> Table:
        def merge(book: "Workbook") -> None:
            for area in areas:
                book.worksheets[0].merge_cells(area)

        return read(workbook(*rows, change=merge))

    def test_are_as_in_the_row_above_which_is_told(self) -> None:
        table = self.merged("A1:A3", rows=[["BLM", "1"], [None, "2"], [None, "3"], [None, "4"]])

        assert [row.cells for row in table.rows] == [["BLM", "1"], ["BLM", "2"], ["BLM", "3"], ["", "4"]]
        assert table.notes == ["Merged cells (A1:A3): the text of the area is read in each row of it."]

    def test_of_several_columns_are_titles(self) -> None:
        table = self.merged("A1:C1", rows=[["Leases"], ["BLM", "1"]])

        assert [row.cells for row in table.rows] == [["Leases"], ["BLM", "1"]]
        assert table.notes == []

    def test_without_a_text_are_nothing(self) -> None:
        table = self.merged("A1:A2", "A7:A9", rows=[[None, "1"], [None, "2"]])

        assert [row.cells for row in table.rows] == [["", "1"], ["", "2"]]
        assert table.notes == []

    def test_may_stand_at_the_end_of_a_row(self) -> None:
        table = self.merged("B1:B2", "A3:A4", rows=[["1", "BLM"], ["2"], ["NMSLO", "3"], [None, "4"]])

        assert [row.cells for row in table.rows] == [["1", "BLM"], ["2", "BLM"], ["NMSLO", "3"], ["NMSLO", "4"]]
        assert table.notes == ["Merged cells (A3:A4 and B1:B2): the text of each area is read in each of its rows."]

    def test_take_what_is_wrong_with_them_along(self) -> None:
        body = '<row r="1"><c t="b"><v>1</v></c></row><row r="2"><c r="B2"><v>2</v></c></row>'
        end = '</sheetData><mergeCells><mergeCell ref="A1:A2"/></mergeCells></worksheet>'

        rows = read(patched(sheet=sheet(body).replace("</sheetData></worksheet>", end))).rows

        assert [row.problems for row in rows] == [{0: BOOLEAN}, {0: BOOLEAN}]

    def test_never_replace_what_stands_there(self) -> None:
        body = '<row r="1"><c><v>1</v></c></row><row r="3"><c><v>3</v></c></row><row r="2"><c><v>2</v></c></row>'
        end = '</sheetData><mergeCells><mergeCell ref="A1:A3"/><mergeCell ref="A1:A9"/></mergeCells></worksheet>'

        rows = read(patched(sheet=sheet(body).replace("</sheetData></worksheet>", end))).rows

        assert [row.cells for row in rows] == [["1"], ["3"], ["2"]]

    @pytest.mark.parametrize("area", ["", "A", "1:2", "A1:B"])
    def test_that_lead_nowhere_break_the_file(self, area: str) -> None:
        end = f'</sheetData><mergeCell ref="{area}"/></worksheet>'

        assert refusal(patched(sheet=sheet("<row/>").replace("</sheetData></worksheet>", end))).startswith(BROKEN)

    @pytest.mark.long
    @pytest.mark.parametrize(
        ("areas", "rows", "sentence"),
        [
            ('<mergeCell ref="A1:A20000"/>' * 20_001, 1, "This file has more than 20,000 merged areas."),
            ('<mergeCell ref="A1:A20000"/>' * 500, MAX_ROWS, "This file holds too much besides its table."),
            ('<mergeCell ref="AX1:AX20000"/>', MAX_ROWS, "This file holds too much besides its table."),
        ],
    )
    def test_are_no_bombs(self, areas: str, rows: int, sentence: str) -> None:
        first = '<row><c r="A1"><v>1</v></c><c r="AX1"><v>1</v></c></row>'
        body = first + "<row><c><v>1</v></c></row>" * (rows - 1)
        content = patched(sheet=sheet(body).replace("</sheetData></worksheet>", f"</sheetData>{areas}</worksheet>"))
        began = time.process_time()

        assert refusal(content).startswith(sentence)
        assert time.process_time() - began < 15
