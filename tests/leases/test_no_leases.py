"""Rows that are no leases, each with the reason; what may be a lease is none of them."""

import pytest

from leases.agency_words import own_names
from leases.columns import Mapping
from leases.no_leases import BEYOND, HEADER, NEITHER, REPEATED, UNNAMED, why_no_lease
from spreadsheets.tables import Row

MAPPING = Mapping(agency=0, number=1, first_row=2)
NAMES = Row(number=1, cells=["Agency", "Lease Number", "Acres"])


def why(*cells: str, mapping: Mapping = MAPPING, header: Row | None = NAMES, number: int = 5) -> str:
    return why_no_lease(Row(number=number, cells=list(cells)), mapping, header, own_names())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Total", "a total"),
        ("GRAND TOTAL:", "a total"),
        ("Subtotal BLM", "a total"),
        ("Number of leases: 12", "a total"),
        ("Count 12", "a total"),
        ("Page 1 of 1", "a page number"),
        ("page: 3", "a page number"),
        ("2 of 7", "a page number"),
        ("Run Date: 11/20/2026", "the date of a report"),
        ("Date: 2026-11-20", "the date of a report"),
        ("As of 11/20/2026", "the date of a report"),
        ("Printed on Friday", "the date of a report"),
        ("Prepared by Olivia", "the date of a report"),
        ("***END OF REPORT***", "the end of a report"),
        ("- End of list -", "the end of a report"),
        ("(12 rows affected)", "a count"),
        ("12 records found", "a count"),
        ("Note: acres are gross", "a note"),
        ("Source: MLRS", "a note"),
        ("* under protest", "a note"),
        ("\u00a9 2026 Somebody", "a note"),
        ("Confidential", "a note"),
        ("-----", "a line"),
        ("= = = =", "a line"),
    ],
)
class TestReport:
    def test_is_told_in_the_column_of_numbers(self, text: str, kind: str) -> None:
        assert why("", text) == f"“{text}” is no lease: it looks like {kind}."
        assert why(text, mapping=Mapping(number=0, agency_of_all="BLM")) == why("", text)

    def test_is_told_at_the_beginning_of_a_row(self, text: str, kind: str) -> None:
        assert why(text) == f"“{text}” is no lease: it looks like {kind}."

    def test_is_none_beside_a_lease(self, text: str, kind: str) -> None:
        assert why("BLM", "0925002", text) == ""
        assert why(text, "NMNM 0501759") == ""


@pytest.mark.parametrize(
    "number", ["NMNM 0501759", "0925002", "TOTE-1", "Pending", "PAGE 0501759 A", "B0-1", "Date", "12", "DATA 0501"]
)
def test_what_may_be_a_lease_is_none_of_them(number: str) -> None:
    assert why("BLM", number) == ""


class TestTotal:
    def test_is_told_beside_its_number(self) -> None:
        assert why("Total", "960").endswith("it looks like a total.")

    def test_of_what_is_too_long_is_cut(self) -> None:
        assert "…” is no lease" in why("", "Total " * 50)


class TestNames:
    def test_are_those_of_the_header(self) -> None:
        assert why(*NAMES.cells, number=1) == HEADER

    def test_that_nobody_knows_are_most_likely_names(self) -> None:
        assert why("Who", "Which", number=1, header=Row(number=1, cells=["Who", "Which"])) == UNNAMED

    @pytest.mark.parametrize("cells", [["Agency", "Lease Number"], ["x", "lease number:"], ["Agency", "Serial #"]])
    def test_may_be_repeated(self, cells: list[str]) -> None:
        assert why(*cells) == REPEATED

    def test_may_be_repeated_without_an_agency(self) -> None:
        assert why("Lease No.", mapping=Mapping(number=0, agency_of_all="BLM"), header=None) == REPEATED


class TestPlace:
    def test_above_the_first_lease_is_told(self) -> None:
        assert why("BLM", "1", mapping=Mapping(number=1, agency=0, first_row=7)) == (
            "It stands above the first row with a lease, which is row 7."
        )

    def test_above_the_names_is_told_unless_it_is_a_lease(self) -> None:
        names, mapping = Row(number=9, cells=NAMES.cells), Mapping(number=1, agency=0)

        assert why("x", "Leases", header=names, mapping=mapping) == (
            "It stands above the names of the columns, which are in row 9."
        )
        assert why("x", "NMNM 0501759", header=names, mapping=mapping) == ""

    def test_beyond_all_columns_is_told(self) -> None:
        assert why() == BEYOND

    def test_of_a_row_without_either_is_told(self) -> None:
        assert why("", "", "960") == NEITHER
        assert why("", "", "960", mapping=Mapping(number=1, agency_of_all="BLM")) == ""
