"""What each row would become: one sentence for each wrong column, and for each doubt; every row is somewhere."""

import time
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from leases import services
from leases.columns import AGENCY, NUMBER, Mapping
from leases.lookalikes import doubts_about_number
from leases.row_checks import SEVERAL, Checked, examine
from spreadsheets.tables import WHOLE, WIDER, Row, read_table
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


def doubts(number: str, agency: str = "BLM") -> tuple[str, ...]:
    return check([agency, number])[0].doubts


REAL = [
    *(("BLM", number) for number in (
        "NMNM 0028446A", "NMLC 0029005B", "NMNM 095055 A", "NM-NM-095055-A", "NMNM095055A", "NMNM 0930001",
        "NMNM109700001", "NMNM 105 123 456", "WYW 123456", "0028446",
    )),
    *(("NMSLO", number) for number in (
        "B0-1234-5", "VB-0514-1", "VB-0514-0001", "VB 0514 0001", "VB 0514 - 0001", "VA-0628", "L0-123", "V0-7890-0001",
        "V0 7890 0001", "E0-5229-11", "B-10456-1", "LG 1234 2", "K0 3229-4",
    )),
]  # fmt: skip


class TestSeveralNumbers:
    @pytest.mark.parametrize(
        "cell",
        [
            "NMNM 0501759, NMNM 0501760",
            "NMNM 0501759; 0501760",
            "NMNM 0501759/0501760",
            "NMNM 0501759 / NMNM 0501760",
            "NMNM 0501759\nNMNM 0501760",
            "NMNM 0501759 & NMNM 0501760",
            "NMNM 0501759 and NMNM 0501760",
            "NMNM 0501759 thru NMNM 0501762",
            "NMNM 0501759 NMNM 0501760",
            "VB-0514-1|VB-0514-2",
            "B0-1, B0-2",
            "B-10456 B-10457",
            "B-10456-1 B-10457-2",
            "E-5141 E-5142",
            "V0-1234 V0-1235",
            "NMNM 123 NMNM 124",
            "NMNM 1 NMNM 2",
            "NMNM 1 or NMNM 2",
            "NMNM 1 & NMNM 2",
            "NMNM 1, NMNM 2",
            "NMNM 1 to NMNM 2",
            "NMNM 123 or 124",
            "NMNM 12345 - NMNM 12346",
            "NMNM 12345A - nmnm 12346A",
        ],
    )
    def test_in_one_cell_are_a_problem_that_says_so(self, cell: str) -> None:
        assert check(["BLM", cell])[0].problems == {NUMBER: SEVERAL}

    @pytest.mark.parametrize(
        "cell", ["NMNM 0501759", "NMNM 0501759 A", "VB-0514-0001", "Sand and Gravel 12", "NMNM 0501759, A", "501,759"]
    )
    def test_are_not_what_belongs_to_one(self, cell: str) -> None:
        assert check(["BLM", cell])[0].problems == {}

    @pytest.mark.parametrize(
        "cell",
        [
            "12345 12346",
            "1234 1235",
            "12345 - 12346",
            "12345-12346",
            "0028446 0028447 0028448",
            "NMNM 12345 12346",
            "NMNM12345 12346A",
            "NMNM 12345 - 12346",
            "B-10456 E-5142",
            "LG-123 VB-514",
            "V0-1234 VB-1235",
        ],
    )
    def test_that_may_be_so_are_doubtful(self, cell: str) -> None:
        assert check(["BLM", cell])[0].problems == {}
        assert doubts(cell) == ("This reads like several lease numbers: give each of them by itself.",)

    @pytest.mark.parametrize(("agency", "cell"), REAL)
    def test_are_not_seen_in_one_as_agencies_write_it(self, agency: str, cell: str) -> None:
        (row,) = check([agency, cell])

        assert (row.problems, row.doubts) == ({}, ())

    @pytest.mark.long
    def test_take_no_time_to_tell(self) -> None:
        began = time.process_time()
        for text in (
            "1" * 500,
            "A1" * 50,
            "a1-" * 33,
            "1 " * 50,
            "A" * 99 + "1",
            "a 1- " * 20,
            "a1 " * 160,
            "a " * 250,
            "AB" * 45 + "1" * 10,
            ", " * 250,
            "*" * 500,
        ):
            examine(table(*[["BLM", text]] * 200), MAPPING)

        assert time.process_time() - began < 5


class TestDoubts:
    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("Pending", "“Pending” has no digit: see whether it is a lease number."),
            ("see the file of 12 May by Ivan", "This reads like a text: see whether it is a lease number."),
            ("x" * 41 + "1", "This reads like a text: see whether it is a lease number."),
            ("501,759", "“501,759” holds a separator: see whether it is one lease number."),
        ],
    )
    def test_are_told_of_what_may_be_no_number(self, number: str, sentence: str) -> None:
        assert doubts(number) == (sentence,)

    @pytest.mark.parametrize("number", ["NMNM 0501759", "0925002", "NM-NM-095055-A"])
    def test_are_none_of_what_is(self, number: str) -> None:
        assert doubts(number) == ()

    def test_are_told_of_what_its_agency_writes_otherwise(self) -> None:
        assert doubts("B0-1", "NMSLO") == ()
        assert doubts("B0-1234-5") == ("“B0-1234-5” is written like a lease of NMSLO, not of BLM.",)
        assert doubts("NMNM 05017592")[0].startswith("“NMNM 05017592” is not written like the numbers of BLM, such as")
        assert doubts("NMMN 0501759", "an agency") == ()

    def test_are_told_of_look_alike_characters(self) -> None:
        assert "only looks like “N”" in doubts("\u039dMNM 1")[0]

    def test_are_those_that_every_way_in_tells(self) -> None:
        for number in ("9.4E+06", "NMNM \u00d81", "NMNM 0O28446A", "NMNM 1;", "NMNM 1."):
            assert list(doubts(number)) == doubts_about_number(number) != []

    @pytest.mark.parametrize("number", ["a/b", "#REF!", "=A1+1", "", "NMNM 0501759, NMNM 0501760"])
    def test_are_none_of_a_number_that_is_a_problem(self, number: str) -> None:
        (row,) = check(["BLM", number])

        assert (list(row.problems), row.doubts) == ([NUMBER], ())

    def test_of_the_whole_row_are_told(self) -> None:
        rows = read_table(name="x", content=b"Agency,Lease Number\nBLM,NMNM 1\nBLM,NMNM 2,NMNM 3\n").rows

        assert [row.doubts for row in examine(rows, replace(MAPPING, first_row=2)).checked] == [(), (WIDER,)]

    def test_of_an_agency_are_told_once(self) -> None:
        row = Row(number=1, cells=["BLM", "NMNM 1"], doubts={0: "x", 1: "x", WHOLE: "y"})

        assert examine([row], MAPPING).checked[0].doubts == ("x", "y")


class TestLookAlikes:
    """Nobody can tell which of them is the right one, so none is taken without a word."""

    def test_are_doubtful_on_both_sides_and_name_each_other(self) -> None:
        mistyped, other, right = check(["BLM", "NMNM 17224"], ["BLM", "NMNM 2"], ["BLM", "NMNM 0017224"])

        assert mistyped.doubts == ("Differs only in zeros from NMNM 0017224 in row 3.",)
        assert right.doubts == ("Differs only in zeros from NMNM 17224 in row 1.",)
        assert other.doubts == ()

    def test_say_how_many_more_there_are(self) -> None:
        numbers = ["NMNM 0501759", "NMNM O501759", "NMNM 501759", "nmnm-501759"]

        found = [row.doubts[-1] for row in check(*[["BLM", number] for number in numbers])]

        assert found[0] == (
            "Differs only in characters that look alike from NMNM O501759 in row 2 and from 2 others like it."
        )
        assert found[3].endswith("from NMNM 501759 in row 3 and from 1 other like it.")

    def test_count_no_row_twice_and_none_that_is_a_problem(self) -> None:
        first, second, again = check(["BLM", "NMNM 1"], ["BLM", "NMNM-1"], ["BLM", "nmnm 1"])

        assert first.doubts == ("Differs only in blanks or dashes from NMNM-1 in row 2.",)
        assert second.doubts == ("Differs only in blanks or dashes from NMNM 1 in row 1.",)
        assert (again.doubts, again.problems) == ((), {NUMBER: "This lease stands in row 1 already."})

    def test_name_the_lease_and_the_row_and_how_many_more_leases(self, olivia: User) -> None:
        for number in ("NMNM 01", "NMNM 001", "NMNM 0001"):
            services.create_lease(agency="BLM", lease_number=number, created_by=olivia)

        first, second, there = check(["BLM", "NMNM 1"], ["BLM", "NMNM-1"], ["BLM", "NMNM 001"])

        assert first.doubts == (
            "BLM already has NMNM 01, which differs only in zeros, and 2 others like it.",
            "Differs only in blanks or dashes from NMNM-1 in row 2.",
        )
        assert second.doubts[1] == "Differs only in blanks or dashes from NMNM 1 in row 1."
        assert there.problems == {NUMBER: "BLM already has this lease."}

    @pytest.mark.long
    def test_of_thousands_take_no_time(self) -> None:
        rows = [["BLM", f"{'-' * (n // 60)}1{'-' * (n % 60)}"] for n in range(2_000)]
        began = time.process_time()

        found = check(*rows)

        assert found[0].doubts[-1].endswith("and from 1,998 others like it.")
        assert time.process_time() - began < 5


class TestAgencyOfAll:
    """Chosen for the leases whose row does not say whose they are."""

    def test_is_doubtful_where_the_file_says_another_one(self) -> None:
        rows = table(["Agency", "Lease Number"], ["NMSLO", "0925001"], ["BLM", "NMNM 1"], ["", "NMNM 2"])

        found = examine(rows, Mapping(number=1, agency_of_all="BLM", first_row=2)).checked

        assert [row.agency for row in found] == ["BLM"] * 3
        assert found[0].doubts == ("The file says “NMSLO” in this row, but BLM was chosen for every lease.",)
        assert found[1].doubts == found[2].doubts == ()

    @pytest.mark.parametrize(
        ("name", "said", "is_doubtful"),
        [
            ("Agency", "XYZ", True),
            ("Agency", "Federal", False),
            ("Agency", "State Trust", True),
            ("Office", "Carlsbad", False),
            ("Owner", "State of New Mexico", True),
            ("Lessor", "Anna Smith", False),
            ("Place", "New Mexico", False),
            ("Place", "NMSLO", True),
            ("Lessor", "", False),
        ],
    )
    def test_is_doubtful_where_a_word_says_another_one(self, name: str, said: str, is_doubtful: bool) -> None:
        rows = table([name, "Lease Number"], [said, "0925002"])

        (row,) = examine(rows, Mapping(number=1, agency_of_all="BLM", first_row=2)).checked

        sentence = f"The file says “{said}” in this row, but BLM was chosen for every lease."
        assert row.doubts == ((sentence,) if is_doubtful else ())

    @pytest.mark.parametrize(
        ("number", "chosen", "other"),
        [
            ("NMNM 0501759", "NMSLO", "BLM"),
            ("NM-NM-095055-A", "NMSLO", "BLM"),
            ("NMLC 063875", "NMSLO", "BLM"),
            ("WYW 123456", "NMSLO", "BLM"),
            ("VB-0514-1", "BLM", "NMSLO"),
            ("V0 9000 1", "BLM", "NMSLO"),
            ("B0-1234-5", "BLM", "NMSLO"),
            ("NMNM 0501759", "BLM", ""),
            ("VB-0514-1", "NMSLO", ""),
            ("0925002", "NMSLO", ""),
            ("Bluebird 12", "NMSLO", ""),
        ],
    )
    @pytest.mark.parametrize("column", [None, 0])
    def test_is_doubtful_where_the_number_is_another_ones(
        self, column: int | None, number: str, chosen: str, other: str
    ) -> None:
        mapping = Mapping(agency=column, number=1, agency_of_all=chosen)

        (row,) = examine(table(["", number]), mapping).checked

        found = [doubt for doubt in row.doubts if "is written like" in doubt]
        assert found == (
            [f"“{number}” is written like a lease of {other}, but {chosen} was chosen for every lease."]
            if other
            else []
        )

    def test_is_no_doubt_where_the_row_says_whose_it_is(self) -> None:
        mapping = Mapping(agency=0, number=1, agency_of_all="NMSLO")

        assert examine(table(["BLM", "NMNM 0501759"]), mapping).checked[0].doubts == ()

    def test_fills_a_column_and_says_so(self) -> None:
        rows = table(["Agency", "Lease Number"], ["NMSLO", "VB-1"], ["", "0925002"])

        found = examine(rows, Mapping(agency=0, number=1, agency_of_all="BLM", first_row=2)).checked

        assert [(row.agency, len(row.doubts)) for row in found] == [("NMSLO", 0), ("BLM", 1)]
        assert found[1].doubts[0].startswith("No agency stands in this row; it is taken to be of BLM")
