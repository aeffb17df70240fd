"""How each agency writes its numbers, and what is said of one that is written otherwise."""

import pytest

from leases.agency_numbers import FORMS, agency_by_form, doubts_about_form
from leases.models import Agency

OF_BLM = [
    "NMNM 0501759", "NMNM 501759", "nmnm 0501759", "NMNM0501759", "NMNM-0501759", "NM-NM-095055-A", "NMNM 095055 A",
    "NMLC 0028446A", "NMLC 0029005B", "NMSF 078000", "NM 0501759", "0501759", "0925002", "NMNM105551234", "NMNM 105551234",
    "WYW 123456", "WYWY105123456", "OKNM 012345", "ES 012345", "MTM 1", "NMNM 1",
]  # fmt: skip
OF_NMSLO = [
    "B0-1234-5", "B0 1234 5", "B0-1234", "VB-0514-0001", "VB05140001", "V0-7890-0001", "V0-1234", "LG-1234", "LG 1234 2",
    "L0-123", "L0-1077-4", "E0-5229-11", "K0 3229-4", "B-10456-1", "E-5141", "V-5-1", "VA-0628", "628", "14537", "OG-123",
]  # fmt: skip


def said(agency: str, number: str) -> str:
    return " ".join(doubts_about_form(agency=agency, number=number))


class TestForms:
    def test_are_there_for_every_agency(self) -> None:
        assert set(FORMS) == set(Agency.values)

    @pytest.mark.parametrize("number", OF_BLM)
    def test_of_the_bureau(self, number: str) -> None:
        assert said("BLM", number) == ""

    @pytest.mark.parametrize("number", OF_NMSLO)
    def test_of_the_state(self, number: str) -> None:
        assert said("NMSLO", number) == ""

    @pytest.mark.parametrize(
        "number",
        [
            "NMNM 05017592",  # eight digits are neither the old form nor the new one
            "NMNM1055512345",
            "NMMN 0501759",
            "NMNM 0501759 OIL",
            "Lot 12",
            "JAN 0014321",
        ],
    )
    def test_of_the_bureau_are_no_others(self, number: str) -> None:
        assert said("BLM", number) == (
            f"“{number}” is not written like the numbers of BLM, such as NMNM 0501759, NMLC 0028446A or NMNM105551234."
        )

    @pytest.mark.parametrize(
        ("number", "meant"),
        [("LO-1077-4", "L0-1077-4"), ("EO-5014-2", "E0-5014-2"), ("vo 1234", "v0 1234"), ("BO12345", "B012345")],
    )
    def test_of_the_state_have_a_zero_and_no_letter_o(self, number: str, meant: str) -> None:
        assert said("NMSLO", number) == (
            f"“{number}” begins with the letter O, where NMSLO has a zero: see whether “{meant}” is meant."
        )

    @pytest.mark.parametrize("number", ["MAR-0514-1", "B0-12345-67890", "XYZ-1234"])
    def test_of_the_state_are_no_others(self, number: str) -> None:
        assert said("NMSLO", number) == (
            f"“{number}” is not written like the numbers of NMSLO, such as B0-1234-5, VB-0514-0001, LG-1234 or 14537."
        )

    def test_tell_whose_it_is_instead(self) -> None:
        assert said("BLM", "VB-0514-1") == "“VB-0514-1” is written like a lease of NMSLO, not of BLM."
        assert said("NMSLO", "NMNM 0501759") == "“NMNM 0501759” is written like a lease of BLM, not of NMSLO."

    def test_of_an_agency_that_nobody_knows_are_not_known(self) -> None:
        assert said("", "Lot 12") == said("XYZ", "Lot 12") == ""


class TestAgencyByForm:
    @pytest.mark.parametrize(
        ("number", "agency"),
        [("NMNM 0501759", "BLM"), ("B0-1234-5", "NMSLO"), ("0501759", ""), ("NM 0501759", ""), ("B0-1", "")],
    )
    def test_is_told_by_letters_that_no_other_agency_has(self, number: str, agency: str) -> None:
        assert agency_by_form(number) == agency
