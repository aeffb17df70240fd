"""Files as other offices and programs write them: what becomes of each row, through the reader and the checks."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from leases.agency_words import remember
from leases.imports import Look, look_at
from leases.services import create_lease
from spreadsheets.tables import read_table

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parent / "cases"


def look(name: str, agency: str = "") -> Look:
    file = CASES / name
    return look_at(read_table(name=file.name, content=file.read_bytes()), agency_of_all=agency)


def usable(found: Look) -> list[tuple[int, str, str, bool]]:
    """Row, agency, number, and whether it is doubtful."""
    return [(row.row, row.agency, row.lease_number, bool(row.doubts)) for row in found.examined.usable]


def problems(found: Look) -> dict[int, str]:
    return {row.row: " ".join(row.problems.values()) for row in found.examined.wrong}


def no_leases(found: Look) -> dict[int, str]:
    return {row.row: row.reason for row in found.examined.no_leases}


@pytest.mark.parametrize(
    ("name", "agency", "expected"),
    [
        (
            "03-semicolons-legal-with-commas.csv",
            "",
            [(2, "BLM", "NMNM 0930001", False), (3, "BLM", "NMNM 0930002", False)],
        ),
        ("07-mlrs-layer.csv", "BLM", [(2, "BLM", "NMNM109700001", False), (4, "BLM", "NMNM109700002", False)]),
        ("10-unit-separator.csv", "", [(2, "BLM", "NMNM 0910001", False), (3, "BLM", "NMNM 0910002", False)]),
        ("11-footer.csv", "BLM", [(2, "BLM", "NMNM 0911001", False), (3, "BLM", "NMNM 0911002", False)]),
        (
            "13-merged-agency.xlsx",
            "",
            [
                (2, "BLM", "NMNM 0913001", False),
                (3, "BLM", "NMNM 0913002", False),
                (4, "BLM", "NMNM 0913003", False),
                (5, "NMSLO", "VB-9131-1", False),
                (6, "NMSLO", "VB-9131-2", False),
            ],
        ),
        ("15-hyperlinks.xlsx", "", [(2, "BLM", "NMNM 0915001", True), (3, "BLM", "NMNM 0915002", True)]),
        (
            "19-leading-zeros.csv",
            "",
            [
                (2, "BLM", "NMNM 0014321", True),
                (3, "BLM", "NMNM 14321", True),
                (4, "BLM", "NMNM 014321", True),
                (5, "NMSLO", "VB-0514-1", True),
                (6, "NMSLO", "VB-514-1", True),
                (7, "NMSLO", "VB-0514-0001", True),
                (8, "NMSLO", "VA-0628", True),
                (9, "NMSLO", "VA-628", True),
            ],
        ),
        (
            "20-suffix.csv",
            "",
            [
                (2, "BLM", "NMNM 095055 A", True),
                (3, "BLM", "NMNM 095055A", True),
                (4, "BLM", "NM-NM-095055-A", True),
                (5, "BLM", "NMNM095055A", True),
            ],
        ),
        ("25-apostrophes-1252.csv", "", [(2, "BLM", "NMNM 0925001", False), (3, "BLM", "0925002", False)]),
    ],
)
def test_has_the_leases_that_a_person_sees(name: str, agency: str, expected: list[tuple[int, str, str, bool]]) -> None:
    assert usable(look(name, agency)) == expected


class TestEachRow:
    @pytest.mark.parametrize("name", [file.name for file in sorted(CASES.iterdir())])
    def test_is_somewhere(self, name: str) -> None:
        content = (CASES / name).read_bytes()
        found = look(name, "BLM").examined

        rows = [row.number for row in read_table(name=name, content=content).rows]
        assert sorted([*(row.row for row in found.checked), *(row.row for row in found.no_leases)]) == rows


class TestSemicolons:
    def test_make_three_columns(self) -> None:
        content = (CASES / "03-semicolons-legal-with-commas.csv").read_bytes()

        rows = read_table(name="x", content=content).rows

        assert [len(row.cells) for row in rows] == [3, 3, 3]
        assert rows[1].cells[2] == "T. 17 S., R. 30 E., sec. 1, lots 1, 2, 3, S2N2"


class TestLayer:
    def test_tells_the_same_number_twice_and_leaves_its_names_out(self) -> None:
        found = look("07-mlrs-layer.csv", "BLM")

        assert problems(found) == {3: "This lease stands in row 2 already."}
        assert no_leases(found) == {1: "These are the names of the columns."}

    def test_does_not_say_whose_they_are(self) -> None:
        found = look("07-mlrs-layer.csv")

        assert set(problems(found)) == {2, 3, 4}
        assert problems(found)[2] == (
            "The agency is missing, and no column of the file holds agencies: say whether it is NMSLO or BLM."
        )


class TestFooter:
    def test_is_left_out_with_the_reasons(self) -> None:
        found = look("11-footer.csv", "BLM")

        assert problems(found) == {}
        assert no_leases(found) == {
            1: "These are the names of the columns.",
            4: "“Total” is no lease: it looks like a total.",
            5: "“Run Date: 11/20/2026” is no lease: it looks like the date of a report.",
            6: "“Page 1 of 1” is no lease: it looks like a page number.",
            7: "“***END OF REPORT***” is no lease: it looks like the end of a report.",
        }


class TestMergedCells:
    def test_are_told(self) -> None:
        assert look("13-merged-agency.xlsx").notes == (
            "Merged cells (A2:A4 and A5:A6): the text of each area is read in each of its rows.",
        )


class TestFormulas:
    def test_are_doubtful_because_their_text_may_be_old(self) -> None:
        for row in look("15-hyperlinks.xlsx").examined.usable:
            assert row.doubts[0].startswith("This cell is a formula; its text is the one that it had")


class TestLookAlikes:
    """Within the file and beside it; the other one is named."""

    @pytest.mark.parametrize("name", ["19-leading-zeros.csv", "20-suffix.csv"])
    def test_name_each_other(self, name: str) -> None:
        doubts = [row.doubts for row in look(name).examined.usable]

        assert " in row 3 and from " in doubts[0][0]
        assert " in row 2 and from " in doubts[1][0]

    def test_name_the_lease_that_there_is(self, olivia: User) -> None:
        lease = create_lease(agency="BLM", lease_number="NMNM 00014321", created_by=olivia)

        first = look("19-leading-zeros.csv").examined.usable[0]

        assert first.similar_id == lease.pk
        assert first.doubts[0].startswith("BLM already has NMNM 00014321, which differs only in zeros")


class TestAgencyWords:
    SAID = {"Federal": "BLM", "State": "NMSLO", "USA": "BLM", "State of New Mexico": "NMSLO", "SLO": "NMSLO"}

    def test_mean_nothing_before_somebody_has_said_it(self) -> None:
        found = look("22-agency-words.csv")

        assert set(problems(found)) == {2, 3, 4, 5, 6, 7}
        assert "“Federal” is no agency known here" in problems(found)[2]

    def test_are_remembered(self, olivia: User) -> None:
        remember(words={**self.SAID, "U.S. Bureau of Land Management": "BLM"}, user=olivia)

        found = look("22-agency-words.csv")

        assert [agency for _, agency, _, _ in usable(found)] == ["BLM", "NMSLO"] * 3

    def test_hold_also_against_what_was_given_for_all(self, olivia: User) -> None:
        remember(words=self.SAID, user=olivia)

        found = look("22-agency-words.csv", "BLM")

        assert (3, "NMSLO", "VB-9221-1", False) in usable(found)
        assert set(problems(found)) == {6}


class TestLessor:
    def test_is_no_agency(self) -> None:
        found = look("23-lessor-column.csv")

        assert (found.mapping.number, found.mapping.agency) == (1, None)

    def test_is_none_whatever_somebody_has_said_its_words_mean(self, olivia: User) -> None:
        before = look("23-lessor-column.csv")

        remember(words={"United States of America": "BLM", "State of New Mexico": "NMSLO"}, user=olivia)

        assert look("23-lessor-column.csv") == before

    @pytest.mark.parametrize("is_known", [False, True])
    @pytest.mark.parametrize(
        ("agency", "row", "doubts"),
        [
            ("BLM", 3, ("“State of New Mexico”", "“VB-9231-1” is written like a lease of NMSLO,")),
            ("NMSLO", 2, ("“United States of America”", "“NMNM 0923001” is written like a lease of BLM,")),
        ],
    )
    def test_is_not_overridden_in_silence(
        self, olivia: User, *, is_known: bool, agency: str, row: int, doubts: tuple[str, str]
    ) -> None:
        if is_known:
            remember(words={"United States of America": "BLM", "State of New Mexico": "NMSLO"}, user=olivia)

        (doubtful,) = look("23-lessor-column.csv", agency).examined.doubtful

        assert (doubtful.row, doubtful.agency) == (row, agency)
        assert doubtful.doubts == (
            f"The file says {doubts[0]} in this row, but {agency} was chosen for every lease.",
            f"{doubts[1]} but {agency} was chosen for every lease.",
        )


class TestColumnOfStates:
    def test_stays_a_name_though_its_word_is_known(self, olivia: User) -> None:
        """The row of names was taken for a lease of that agency."""
        file = read_table(name="x.csv", content=b"State,Lease No.\nNM,NMNM 0501759\nNM,NMNM 0501760\n")
        before = look_at(file, agency_of_all="BLM")

        remember(words={"State": "NMSLO"}, user=olivia)

        assert look_at(file, agency_of_all="BLM") == before
        assert [len(row.doubts) for row in before.examined.usable] == [0, 0]
