"""What each row would become: one sentence for each wrong column, and for each doubt; every row is somewhere."""

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from leases import services
from leases.columns import AGENCY, NUMBER, Mapping
from leases.row_checks import Checked, examine
from tests.leases.test_columns import table

pytestmark = pytest.mark.django_db

MAPPING = Mapping(agency=0, number=1)


def check(*rows: list[str]) -> list[Checked]:
    return list(examine(table(*rows), MAPPING).checked)


class TestExamine:
    def test_finds_nothing_wrong_with_what_is_right(self) -> None:
        assert check(["blm", "NMNM 1"], ["New Mexico State Land Office", "B0-1"]) == [
            Checked(row=1, agency="BLM", lease_number="NMNM 1"),
            Checked(row=2, agency="NMSLO", lease_number="B0-1"),
        ]

    def test_begins_where_the_mapping_says_and_takes_one_agency_for_all(self) -> None:
        mapping = Mapping(number=0, agency_of_all="BLM", first_row=2)

        assert examine(table(["Lease"], ["1"]), mapping).checked == (Checked(row=2, agency="BLM", lease_number="1"),)

    @pytest.mark.parametrize(
        ("cells", "column", "sentence"),
        [
            (["", "1"], AGENCY, "The agency is missing: write NMSLO or BLM."),
            (["XYZ", "1"], AGENCY, "“XYZ” is no agency known here: write NMSLO or BLM."),
            (["=A1", "1"], AGENCY, "This cell is a formula: put its value in its place."),
            (["BLM"], NUMBER, "The lease number is missing."),
            (["BLM", "=1+1"], NUMBER, "This cell is a formula: put its value in its place."),
            (["BLM", "#REF!"], NUMBER, "This cell is an error of the spreadsheet: correct it there."),
            (["BLM", "a/b"], NUMBER, "A lease number must not contain “/”."),
            (["BLM", "x" * 101], NUMBER, "A lease number has at most 100 characters; this one has 101."),
        ],
    )
    def test_says_what_is_wrong_with_a_cell(self, cells: list[str], column: str, sentence: str) -> None:
        assert check(cells)[0].problems == {column: sentence}

    def test_says_what_is_wrong_with_each_column(self) -> None:
        assert set(check(["x", ""])[0].problems) == {AGENCY, NUMBER}

    def test_tells_duplicates_inside_the_file(self) -> None:
        first, second, elsewhere, third = check(["BLM", "a 1"], ["BLM", "A 1"], ["NMSLO", "a 1"], ["blm", "a 1"])

        assert first.problems == elsewhere.problems == {}
        assert second.problems == third.problems == {NUMBER: "This lease stands in row 1 already."}

    def test_tells_duplicates_in_the_database(self, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="ß Nmnm 1", created_by=olivia)

        same, elsewhere, again = check(["BLM", "ß NMNM 1"], ["NMSLO", "ß NMNM 1"], ["BLM", "ß nmnm 1"])

        assert same.problems == again.problems == {NUMBER: "BLM already has this lease."}
        assert same.existing_id == lease.pk
        assert elsewhere.problems == {}

    def test_takes_two_ways_of_writing_one_character_for_the_same(self) -> None:
        composed, decomposed = check(["BLM", "Se\u00f1or"], ["BLM", "Sen\u0303or"])

        assert decomposed.lease_number == composed.lease_number
        assert decomposed.problems

    def test_makes_no_break_blanks_ordinary_ones(self) -> None:
        (first, second) = check(["BLM", "NMNM\u00a01"], ["BLM", "NMNM\u202f1"])

        assert first.lease_number == second.lease_number == "NMNM 1"
        assert (first.problems, list(second.problems)) == ({}, [NUMBER])

    def test_asks_the_database_once(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            check(*[["BLM", f"NMNM {n}"] for n in range(500)])
