"""What is told beside the rows of a file."""

import pytest

from leases.columns import Mapping, guess_mapping
from leases.row_checks import Examined, examine, left_out_of
from spreadsheets.tables import Row
from tests.leases.test_columns import table

pytestmark = pytest.mark.django_db

MAPPING = Mapping(agency=0, number=1)


class TestNotes:
    def test_name_other_columns_that_seem_to_hold_numbers(self) -> None:
        names = ["Agency", "Legacy Serial Number", "MLRS Serial Number"]

        def notes(*names: str) -> tuple[str, ...]:
            rows = table(list(names), ["BLM", *["NMNM 0501759"] * (len(names) - 1)])
            return examine(rows, guess_mapping(rows)).notes

        assert notes(*names) == ("Column C seems to hold lease numbers too; those of column B are read.",)
        assert notes(*names, "Serial") == (
            "Columns C and D seem to hold lease numbers too; those of column B are read.",
        )
        assert notes(*names[:2]) == ()


class TestLeftOutOf:
    ROWS = (
        ["Agency", "Lease Number", "Acres", "", "Problem"],
        ["BLM", "NMNM 1", "1"],
        ["BLM", "NMNM-1", "2"],
        ["XYZ", "NMNM 2", "3", "x", "old"],
        ["Total", "", "6"],
    )

    def examined(self) -> tuple[list[Row], Examined]:
        rows = table(*self.ROWS)
        return rows, examine(rows, guess_mapping(rows))

    def test_holds_all_that_is_not_imported_with_its_own_columns(self) -> None:
        rows, examined = self.examined()

        found = left_out_of(rows, examined)

        assert examined.own_columns == {2: "Acres", 3: "D"}
        assert [(each.row, each.others) for each in found] == [(4, ("3", "x")), (5, ("6", ""))]

    def test_holds_the_doubtful_where_they_are_not_imported(self) -> None:
        rows, examined = self.examined()

        found = left_out_of(rows, examined, with_doubtful=False)

        assert [each.row for each in found] == [2, 3, 4, 5]
        assert found[1].reason.startswith("Differs only in blanks or dashes from NMNM 1 in row 2.")
