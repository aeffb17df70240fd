"""Which names come near a number: one case for each kind of slip, and which of them comes first."""

import time
from random import Random

import pytest

from discovery.services.near_names import NearNames
from tests.discovery.services.slips import OF_BLM, OF_NMSLO, blm_archives, mistakes, nmslo_archives


def nearest(number: str, names: list[str]) -> tuple[str, ...]:
    return NearNames(names).nearest(number)


class TestNearest:
    @pytest.mark.parametrize(
        ("number", "name"),
        [
            ("NMNM 14321", "NMNM 0014321"),  # zeros
            ("VB-0514-1", "VB-0514-0001"),
            ("628", "00628"),
            ("NMNM 0501759", "NMNM\u00a00501759"),  # a blank that is none
            ("NMNM 0501759", "NMNM  0501759"),
            ("NMNM 0501759", "NM\u00adNM 0501759"),
            ("NMNM 0501759", "N\u041cNM 0501759"),  # a Cyrillic letter
            ("NMNM 0501759", "\uff2e\uff2d\uff2e\uff2d 0501759"),
            ("B0-1234-5", "B0 1234 5"),
            ("B0-1234-5", "B0\u20131234\u20135"),
            ("0501759", "NMNM 0501759"),  # the prefix
            ("NMNM 0501759", "0501759"),
            ("NM 0501759", "NMNM 0501759"),
            ("NMLC 0501759", "NMNM 0501759"),
            ("NMLC 0028446", "NMLC 0028446A"),  # the suffix
            ("NMLC 0028446A", "NMLC 0028446"),
            ("NMLC 0028446A", "NMLC 0028446B"),
            ("NMNM 0501759", "NMNM 0501759 - Smith Ranch"),
            ("NMNM 0501759 (old)", "NMNM 0501759"),
            ("NMNM 0501759", "NMNM 0507159"),  # swapped
            ("NMNM 0501759", "NMNM 0501758"),  # a wrong digit
            ("NMNM 0501759", "NMNM 050175"),  # one missing
            ("NMNM 0501759", "NMNM 05017592"),  # one too many
            ("NMNM 0051759", "NMNM 0501759"),
            ("NMNM 0001759", "NMNM 0901759"),
            ("NMNM 0501759", "NMNM 0501759 - Smith Ranch 12"),
            ("NMNM 0501759", "NMNM-0501759"),
            ("NMNM 0501759", "NMNM0501759"),
            ("NM-NM-095055-A", "NMNM 095055A"),
            ("VB05140001", "VB-0514-0001"),
            ("NMLC 0501759A", "NMNM 0501759"),  # on both sides
            ("NMNM O501759", "NMNM 0501759"),  # letters for digits
            ("NMNM 0S01759", "NMNM 0501759"),
            ("NMNM 05OI7S9", "NMNM 0501759"),
            ("NMNM l0055123", "NMNM 10055123"),
            ("NMNM 002844l", "NMNM 0028441"),
            ("NMNM 002B446", "NMNM 0028446"),
            ("NMLC 00Z8446A", "NMLC 0028446A"),
            ("NMLC 0029005B", "NMLC 00290058"),
            ("NMNMI05551234", "NMNM105551234"),
            ("80-1234-5", "B0-1234-5"),
            ("BO-1234-5", "B0-1234-5"),
            ("V0-1234-1", "VO-1234-1"),
        ],
    )
    def test_offers_what_somebody_may_have_meant(self, number: str, name: str) -> None:
        assert nearest(number, ["NMNM 9999999", name, "^Templates", "Z"]) == (name,)

    @pytest.mark.parametrize("name", ["NMNM 9999999", "^Templates", "NMNM", "NMNM 0501", "NMNM 15", ""])
    def test_offers_nothing_else(self, name: str) -> None:
        assert nearest("NMNM 0501759", [name]) == ()

    def test_offers_the_nearest_first_and_at_most_five(self) -> None:
        names = [
            "NMLC 0501759", "NMNM 0501758", "NMNM 0507159", "NMNM 0501759A", "NMNM 501759", "NMNM-0501759",
            "NMNM\u00a00501759", "NMNM 0501750",
        ]  # fmt: skip

        assert nearest("NMNM 0501759", names) == (
            "NMNM\u00a00501759", "NMNM-0501759", "NMNM 501759", "NMNM 0501759A", "NMLC 0501759",
        )  # fmt: skip

    def test_offers_no_other_case_of_the_same_name(self) -> None:
        assert nearest("NMNM 1", ["nmnm 1", "NMNM 1"]) == ()

    def test_takes_short_numbers_for_no_slip_of_others(self) -> None:
        assert nearest("VB 12", ["VB 13", "VB 21"]) == ()

    def test_knows_words_that_go_on(self) -> None:
        assert nearest("Templates", ["Templates old", "^Templates"]) == ()

    @pytest.mark.parametrize(
        ("number", "nearer", "farther"),
        [
            ("NMNM 0501759", "NMNM-0501759", "NMNM 501759"),
            ("NMNM 0501759", "NMNM 501759", "NMNM OSO1759"),
            ("NMNM 0501759", "NMNM OSO1759", "NMNM 0501759A"),
            ("NMNM 0501759", "NMNM 0501759A", "NM 0501759"),
            ("NMNM 0501759A", "NM 0501759A", "NMNM 0501759B"),
            ("NMNM 0501759A", "NMNM 0501759B", "NMLC 0501759A"),
            ("NMNM 0501759", "NMLC 0501759", "NMNM 0507159"),
            ("NMNM 0501759", "NMNM 0507159", "NMNM 050175"),
            ("NMNM 0501759", "NMNM 050175", "NMNM 0501758"),
            ("NMNM 0501759", "NMNM 0501758", "NMNM 05017592"),
            ("NMNM 0501759", "NMNM 0501758", "NMLC 0501759A"),
            ("NMNM 0501759", "NMNM 0501750", "NMNM-0501758"),  # one slip, and two
            ("NMNM 0501759", "NMNM 0501758", "NMNM 0501752"),  # the commoner slip
            ("NMNM 0051759", "NMNM 00551759", "NMNM 00517592"),
        ],
    )
    def test_puts_first_what_one_slip_says_most_of(self, number: str, nearer: str, farther: str) -> None:
        for names in ([nearer, farther], [farther, nearer]):
            assert nearest(number, names) == (nearer, farther)

    def test_of_one_kind_puts_first_what_begins_as_most_archives_do(self) -> None:
        assert nearest("0501759", ["NMLC 0501759", "NMNM 0501759", "NMNM 77"]) == ("NMNM 0501759", "NMLC 0501759")

    def test_does_not_go_through_all_that_somebody_has_made_alike(self) -> None:
        names = [f"NMNM 0501759 {'a' * n}b" for n in range(1, 2_000)]
        near = NearNames(names)

        assert len(near.nearest("NMNM 0501759")) == 5

    def test_takes_a_text_for_no_number_with_slips(self) -> None:
        assert nearest("1" * 30, ["1" * 29, "1" * 31]) == ()


class TestMistakes:
    """Of numbers with one slip each, among archives that differ in one digit from their neighbours."""

    def test_the_right_one_comes_first_of_nearly_all(self) -> None:
        random = Random(5)
        blm, nmslo = blm_archives(random), nmslo_archives(random)
        among = ((blm, OF_BLM, 150), (nmslo, OF_NMSLO, 50))
        assert min(len(blm), len(nmslo)) >= 5_000
        first = offered = 0

        for names, slips, count in among:
            near = NearNames(names)
            for _, number, meant in mistakes(names, slips, count=count, random=random):
                found = near.nearest(number)
                first += found[:1] == (meant,)
                offered += meant in found

        assert first >= 190
        assert offered >= 198

    def test_takes_no_longer_where_there_are_many(self) -> None:
        near = NearNames(f"NMNM {n:07}" for n in range(0, 400_000, 10))
        before = time.process_time()

        for n in range(200):
            near.nearest(f"NMNM {n * 3_777:07}")

        assert time.process_time() - before < 2


def test_nothing_comes_near_what_a_spreadsheet_has_shortened() -> None:
    assert nearest("9.4E+06", ["NMNM 0000009", "NMNM 0940000"]) == ()
