"""A lease is found by its number, however it is typed."""

import pytest

from leases.models import Lease
from leases.search import matching, missing
from tests.factories import settled

pytestmark = pytest.mark.django_db

NUMBERS = ("NMNM 0501759", "nmnm 0501760", "B0-1234-5", "LG 12 34")


@pytest.fixture(autouse=True)
def _leases() -> None:
    for number in NUMBERS:
        settled(None, lease_number=number)


def found(text: str) -> list[str]:
    return sorted(matching(Lease.objects.all(), text).values_list("lease_number", flat=True))


class TestMatching:
    @pytest.mark.parametrize(
        "typed",
        ["NMNM 0501759", "nmnm0501759", "NM NM 05 01 759", "  Nmnm\N{NO-BREAK SPACE}0501759 ", "501759", "nm0501759"],
    )
    def test_finds_a_number_in_any_spelling_and_by_a_part(self, typed: str) -> None:
        assert found(typed) == ["NMNM 0501759"]

    def test_finds_a_number_that_is_kept_in_lower_case(self) -> None:
        assert found("NMNM0501760") == ["nmnm 0501760"]

    @pytest.mark.parametrize("between", [",", "; ", "\n", "\r\n", "\t", ", ;"])
    def test_finds_several_that_are_pasted_at_once(self, between: str) -> None:
        assert found(between.join(["lg1234", "B0-1234-5", "B0-1234-5", "gone"])) == ["B0-1234-5", "LG 12 34"]

    def test_takes_several_for_whole_numbers(self) -> None:
        assert found("0501759, 0501760") == []

    @pytest.mark.parametrize("typed", ["NMNM 0501759 LG 12 34", "lg1234 gone nmnm  0501759"])
    def test_finds_whole_numbers_with_blanks_between_them(self, typed: str) -> None:
        assert found(typed) == ["LG 12 34", "NMNM 0501759"]

    def test_takes_no_words_for_numbers_as_long_as_the_whole_is_found(self) -> None:
        settled(None, lease_number="NMNM")

        assert found("NMNM 0501759") == ["NMNM 0501759"]

    def test_takes_no_page_of_words_for_numbers(self) -> None:
        assert found(" ".join(["NMNM 0501759"] * 31)) == []

    @pytest.mark.parametrize("typed", ["", "   ", " , ;"])
    def test_finds_everything_for_nothing(self, typed: str) -> None:
        assert len(found(typed)) == len(NUMBERS)

    @pytest.mark.parametrize("typed", ["%", "_", "\\"])
    def test_takes_no_character_for_a_pattern(self, typed: str) -> None:
        assert found(typed) == []


class TestMissing:
    def test_names_the_pasted_numbers_that_no_lease_has(self) -> None:
        assert missing(Lease.objects.all(), "lg 1234; gone  1; Gone 2") == ["gone 1", "Gone 2"]

    def test_names_none_for_a_part_of_a_number(self) -> None:
        assert missing(Lease.objects.all(), "gone") == []


class TestFolding:
    @pytest.mark.parametrize(
        "typed",
        [
            "NM\u200bNM 0501759",
            "\uff2e\uff2d\uff2e\uff2d 0501759",
            "nmnm\u00ad0501759",
            "'NMNM 0501759",
            "NMNM\u2009\u20090501759",
        ],
    )
    def test_is_that_of_every_other_way_in(self, typed: str) -> None:
        assert found(typed) == ["NMNM 0501759"]
        assert missing(Lease.objects.all(), f"{typed}; B0-1234-5") == []

    @pytest.mark.parametrize("number", ["straße 1", "STRASSE 2", "\ufb01 1", "\u0130 1", "\u00f1 1", "\u01c5 1"])
    def test_finds_a_number_by_itself_whatever_case_the_database_knows(self, number: str) -> None:
        settled(None, lease_number=number)

        assert number in found(number)
        assert number in found(f"{number}, gone")
        assert missing(Lease.objects.all(), f"{number}, gone") == ["gone"]
