"""Guards of other programs come off; what is inside of a text stays."""

import pytest

from spreadsheets.cells import MAX_CELL, is_damaged, text_of_link, tidy


class TestTidy:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("'0925002", "0925002"),
            ("'NMNM 0925001 ", "NMNM 0925001"),
            ("'NMNM 1'", "NMNM 1"),
            ("\u2019NMNM 1", "NMNM 1"),
            ('="0925002"', "0925002"),
            ('= "0925002" ', "0925002"),
            ('="a ""b"" c"', 'a "b" c'),
            ('="\'0925002"', "0925002"),
            ('"NMNM 1"', "NMNM 1"),
            ("\u201cNMNM 1\u201d", "NMNM 1"),
            ("\x1fNMNM 0910001", "NMNM 0910001"),
            ("\x02NMNM 1\x03", "NMNM 1"),
            ("NMNM 1\x0c", "NMNM 1"),
            ("\ufeff\u200bNMNM 1\u00a0\u2060", "NMNM 1"),
            ("\u3000NMNM 1\u00ad", "NMNM 1"),
            ("'", ""),
            ('=""', ""),
            (" \t ", ""),
        ],
    )
    def test_takes_off_what_stands_around(self, cell: str, text: str) -> None:
        assert tidy(cell) == text

    @pytest.mark.parametrize("cell", ["O'Neill", "=1+1", '="a"&"b"', '5" pipe', '"a" and "b"', "T. 17 S.", "a\nb"])
    def test_leaves_what_stands_inside(self, cell: str) -> None:
        assert tidy(cell) == cell

    def test_shows_what_cannot_be_read(self) -> None:
        assert tidy("NM\x00NM\x1f1") == "NM\ufffdNM\ufffd1"

    @pytest.mark.parametrize("char", ["x", "("])
    def test_cuts_what_is_far_too_long(self, char: str) -> None:
        assert tidy(char * 1_000) == f"{char * MAX_CELL}…"


@pytest.mark.parametrize(("cell", "expected"), [("\x1fA\x1f", False), ("A\x1fB", True), ("A\tB\n", False)])
def test_control_characters_inside_are_damage(cell: str, expected: bool) -> None:
    assert is_damaged(cell) == expected


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('=HYPERLINK("https://example.com","NMNM 1")', "NMNM 1"),
        ('=hyperlink( "x" ; "say ""A1""" )', 'say "A1"'),
        ('=HYPERLINK("x")', None),
        ('=HYPERLINK(A1,"x")', None),
    ],
)
def test_a_link_shows_its_text(cell: str, text: str | None) -> None:
    assert text_of_link(cell) == text
