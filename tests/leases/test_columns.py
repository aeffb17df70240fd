"""Which column holds what: by the names over the columns as much as by what stands below them."""

import pytest

from leases.columns import Mapping, guess_mapping, header_row, letters, looks_like_lease, other_number_columns
from spreadsheets.tables import Row


def table(*rows: list[str]) -> list[Row]:
    return [Row(number=number, cells=cells) for number, cells in enumerate(rows, 1)]


class TestGuessMapping:
    @pytest.mark.parametrize(
        "name", ["Lease Number", "lease_number", "LEASE NO.", "Lease #", "Serial number", "number"]
    )
    def test_knows_columns_by_what_people_call_them(self, name: str) -> None:
        assert guess_mapping(table(["Agency", name], ["BLM", "1"])) == Mapping(agency=0, number=1, first_row=2)

    def test_prefers_the_name_that_says_more(self) -> None:
        assert guess_mapping(table(["Number", "Lease Number", "Office"])).number == 1

    def test_looks_for_the_names_under_a_title(self) -> None:
        rows = table(["Leases of the year"], ["as of today"], ["lease", "agency"], ["1", "BLM"])

        assert guess_mapping(rows) == Mapping(number=0, agency=1, first_row=4)

    def test_knows_agencies_without_a_name_over_them(self) -> None:
        assert guess_mapping(table(["A1", "blm"])) == Mapping(number=0, agency=1, first_row=1)
        assert guess_mapping(table(["x", "A1", "blm"])) == Mapping(number=None, agency=2, first_row=1)

    def test_takes_a_single_column_for_numbers(self) -> None:
        assert guess_mapping(table(["A1"], ["A2"])) == Mapping(number=0, first_row=1)

    def test_leaves_it_open_otherwise(self) -> None:
        found = guess_mapping(table(["a", "b"], ["c", "d"]))

        assert found == Mapping(first_row=1)
        assert not found.is_complete


class TestMapping:
    @pytest.mark.parametrize(
        ("mapping", "is_complete"),
        [
            (Mapping(number=0), False),
            (Mapping(agency=0), False),
            (Mapping(number=0, agency=1), True),
            (Mapping(number=0, agency_of_all="BLM"), True),
            (Mapping(number=0, agency_of_all="XYZ"), False),
        ],
    )
    def test_needs_the_numbers_and_whose_they_are(self, mapping: Mapping, is_complete: bool) -> None:
        assert mapping.is_complete == is_complete


class TestNames:
    """By what offices and programs call the column of lease numbers."""

    @pytest.mark.parametrize(
        "name",
        [
            "Serial #",
            "Serial Number",
            "SERIAL NO",
            "CSE_NR",
            "Legacy Serial Number",
            "MLRS Serial Number",
            "MLRS serial",
            "BLM Serial No. (MLRS)",
            "Lease Serial Number",
            "State Lease No.",
            "Case Number",
            "Lease\u00a0Number",
            "\uff2cease Number",
        ],
    )
    def test_are_well_known(self, name: str) -> None:
        rows = table(["ID", name, "Agency"], ["1", "NMNM 0501759", "BLM"])

        assert guess_mapping(rows) == Mapping(number=1, agency=2, first_row=2)

    def test_are_none_of_a_lessor(self) -> None:
        assert guess_mapping(table(["Lessor", "Lease No."], ["Anna Smith", "NMNM 1"])).agency is None

    def test_are_none_where_the_cells_hold_no_numbers(self) -> None:
        rows = table(["Lease", "Tract", "Serial"], ["Bluebird", "1", "NMNM 0501759"], ["Kestrel", "2", "NMNM 0501760"])

        assert guess_mapping(rows).number == 2

    def test_are_not_a_lease_of_the_type_lease(self) -> None:
        """It was taken for the row of names, and its lease was gone without a word."""
        rows = table(["Serial?", "Kind", "Who"], ["NMNM 0501759", "Lease", "BLM"], ["NMNM 0501760", "Lease", "BLM"])

        assert guess_mapping(rows) == Mapping(number=0, agency=2, first_row=2)

    def test_are_not_the_first_lease_of_the_type_lease(self) -> None:
        rows = table(["NMNM 0501759", "Lease"], ["NMNM 0501760", "Lease"])

        assert guess_mapping(rows) == Mapping(number=0, first_row=1)

    def test_of_agencies_alone_are_names_too(self) -> None:
        rows = table(["Agency", "What"], ["BLM", "NMNM 0501759"])

        assert guess_mapping(rows) == Mapping(number=1, agency=0, first_row=2)

    def test_below_leases_leave_these_where_they_are(self) -> None:
        rows = table(["BLM", "NMNM 0501758"], ["Agency", "Lease Number"], ["BLM", "NMNM 0501759"])

        assert guess_mapping(rows) == Mapping(number=1, agency=0, first_row=1)

    def test_alone_are_enough(self) -> None:
        assert guess_mapping(table(["Agency", "Lease"])) == Mapping(number=1, agency=0, first_row=2)
        assert guess_mapping(table(["Agency", "Lease"], ["BLM", "see below"])).number == 1


class TestCells:
    """By what stands in the column."""

    def test_tell_a_column_of_another_name(self) -> None:
        rows = table(["Acres", "What", "Who"], ["320", "NMNM 0501759", "blm"], ["", "VB-0514-1", "NMSLO"])

        assert guess_mapping(rows) == Mapping(number=1, agency=2, first_row=2)

    def test_do_not_tell_where_two_columns_look_alike(self) -> None:
        rows = table(["One", "Two"], ["NMNM 0501759", "NMNM 105547"], ["NMNM 0501760", "NMNM 105548"])

        assert guess_mapping(rows) == Mapping(first_row=1)

    def test_do_not_tell_where_most_are_empty(self) -> None:
        rows = table(["a", "NMNM 0501759"], ["b"], ["c"], ["d"])

        assert guess_mapping(rows).number is None

    def test_tell_the_agency_where_its_name_leads_elsewhere(self) -> None:
        rows = table(["Office", "Owner", "Lease Number"], ["Carlsbad", "BLM", "NMNM 1"], ["Hobbs", "NMSLO", "VB-1"])

        assert guess_mapping(rows).agency == 1

    def test_leave_an_agency_to_its_name_while_no_word_is_known(self) -> None:
        rows = table(["Agency", "Lease Number"], ["Federal", "NMNM 1"])

        assert guess_mapping(rows) == Mapping(agency=0, number=1, first_row=2)

    def test_that_hold_an_agency_here_and_there_are_remarks(self) -> None:
        rows = table(["Remark", "Lease Number"], ["asked", "NMNM 1"], ["BLM", "NMNM 2"], ["done", "NMNM 3"])

        assert guess_mapping(rows).agency is None


class TestFirstRow:
    def test_stands_below_names_that_nobody_knows_and_a_title(self) -> None:
        rows = table(["Leases of May"], ["Which"], ["NMNM 0501759"], ["NMNM 0501760"])

        assert guess_mapping(rows) == Mapping(number=0, first_row=3)

    def test_is_the_first_one_where_no_row_has_a_digit(self) -> None:
        assert guess_mapping(table(["a"], ["b"])) == Mapping(number=0, first_row=1)

    def test_is_the_first_one_though_its_agency_means_nothing(self) -> None:
        """It was gone without a word, because the next one's agency was known."""
        rows = table(["Federal", "NMNM 0501759"], ["BLM", "NMNM 0501760"])

        assert guess_mapping(rows) == Mapping(agency=0, number=1, first_row=1)


class TestOtherNumberColumns:
    def test_are_those_that_are_called_so_and_hold_some(self) -> None:
        rows = table(
            ["Agency", "Legacy Serial Number", "MLRS Serial Number", "Serial"],
            ["BLM", "NMNM 0501759", "NMNM105371234", "x"],
        )

        assert other_number_columns(rows, guess_mapping(rows)) == [2]

    def test_are_none_where_there_are_no_names(self) -> None:
        assert other_number_columns(table(["NMNM 0501759"]), Mapping(number=0)) == []


class TestHeaderRow:
    def test_stands_right_above_the_first_lease(self) -> None:
        rows = table(["x", "y"], ["a/b", "Q"], ["c", "Q"])

        assert header_row(rows, Mapping(number=0, agency_of_all="BLM", first_row=2)) is rows[0]

    @pytest.mark.parametrize("first", [["NMNM 1", "Q"], ["c", "BLM"]])
    def test_is_none_that_may_be_a_lease(self, first: list[str]) -> None:
        rows = table(first, ["a/b", "Q"], ["c", "Q"])

        assert header_row(rows, Mapping(number=0, agency_of_all="BLM", first_row=2)) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("NMNM 0501759", True),
        ("NM-NM-095055-A", True),
        ("B0-1234-5", True),
        ("vb_0514_1", True),
        ("0501759", False),
        ("A1", False),
        ("Section 123", False),
        ("T. 17 S., R. 30 E.", False),
        ("NMNM 1 " + "1" * 30, False),
    ],
)
def test_most_lease_numbers_look_like_some(cell: str, expected: bool) -> None:
    assert looks_like_lease(cell) == expected


def test_columns_have_letters() -> None:
    assert [letters(column) for column in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]
