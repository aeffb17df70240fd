"""Which column holds what: by the names over the columns as much as by what stands below them."""

import pytest

from leases.columns import Mapping, guess_mapping
from leases.spreadsheets import Row


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
