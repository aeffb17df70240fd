"""The database and the code see the same look-alikes, whatever locale the database has."""

import string
import unicodedata

import pytest
from django.db import connection

from core.base.folding import LOOK_ALIKE_LETTERS, LOWER_CASE, fold_case
from leases.lookalikes import (
    bare_key,
    difference,
    doubts_about_characters,
    doubts_about_number,
    short_key,
    unseen_in,
)
from tests.characters import EVERY_CHARACTER

# Whatever either of them may treat specially; control characters and halves of pairs are in no number.
CHARACTERS = [
    char for char in EVERY_CHARACTER if char.isprintable() or unicodedata.category(char) in {"Cf", "Zs", "Mn", "Lo"}
]
NUMBERS = [
    "NMNM 0014321", "VB-0514-0001", "00628", "0", "000", "B0-1234-5", "NM\u200bNM 1", "'0925002", "VO-0001",
    "\N{CYRILLIC CAPITAL LETTER EM} 001", "\uff10\uff10\uff11", "a0b00c", "10 01", "STRASSE", "straße", "\ufb01 1", "İ 1",
]  # fmt: skip


def by_the_database(function: str, texts: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {function}(text) FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, place) ORDER BY place",
            [texts],
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db
class TestDatabase:
    def test_folds_each_character_as_the_code_does(self) -> None:
        assert by_the_database("dropbox_fold", CHARACTERS) == [fold_case(char) for char in CHARACTERS]

    def test_makes_the_same_keys_of_each_character_that_may_be_folded(self) -> None:
        # Both normalise, and each knows characters that are newer than the other's tables; those are nobody's letters.
        odd = [
            char
            for char in CHARACTERS
            if ord(char) in LOWER_CASE or ord(char) in LOOK_ALIKE_LETTERS or ord(char) < 0x3400
        ]
        assert by_the_database("bare_number", odd) == [bare_key(char) for char in odd]

    @pytest.mark.parametrize(("function", "key"), [("bare_number", bare_key), ("short_number", short_key)])
    def test_makes_the_same_keys_of_numbers(self, function: str, key: object) -> None:
        assert by_the_database(function, NUMBERS) == [key(number) for number in NUMBERS]  # type: ignore[operator]


def is_alike(one: str, other: str) -> bool:
    """As `leases.duplicates` asks the database for it."""
    return bare_key(one) == bare_key(other) or short_key(one) == short_key(other)


class TestKeys:
    @pytest.mark.parametrize(
        ("one", "other", "in_what"),
        [
            ("NMNM 14321", "NMNM 0014321", "zeros"),
            ("NMNM-14321", "NMNM 0014321", "zeros and blanks or dashes"),
            ("VB-0514-1", "VB-0514-0001", "zeros"),
            ("VB05140001", "VB-0514-0001", "blanks or dashes"),
            ("VA-0628", "VA-628", "zeros"),
            ("00628", "628", "zeros"),
            ("'0925002", "0925002", "an apostrophe"),
            ("\N{RIGHT SINGLE QUOTATION MARK}0925002", "925002", "zeros and an apostrophe"),
            ("B0-1234", "B01234", "blanks or dashes"),
            ("B0\N{EN DASH}1234", "B0-1234", "blanks or dashes"),
            ("NM-NM-095055-A", "NMNM095055A", "blanks or dashes"),
            ("NM\u200bNM  1", "NMNM 1", "blanks or dashes"),
            ("\N{CYRILLIC CAPITAL LETTER EM}1", "M1", "characters that look alike"),
            ("VO-1234", "V0-1234", "characters that look alike"),
            ("NMNM \uff11", "NMNM 1", "characters that look alike"),
        ],
    )
    def test_knows_what_is_one_number_written_in_two_ways(self, one: str, other: str, in_what: str) -> None:
        assert is_alike(one, other)
        assert is_alike(other, one)
        assert difference(one, other) == difference(other, one) == in_what

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("NMNM 105", "NMNM 15"),
            ("NMNM 1050", "NMNM 105"),
            ("NMNM 1", "NMLC 1"),
            ("VB-0514-1", "VB-0514-2"),
            ("0", "00 1"),
        ],
    )
    def test_takes_no_other_zero_for_nothing(self, one: str, other: str) -> None:
        assert not is_alike(one, other)


class TestUnseenIn:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("NMNM\u00a01", "no-break space"),
            ("NM\u200bNM\u00a01", "zero width space and no-break space"),
            ("NMNM  1", "blanks side by side"),
            ("N\u041cNM  1", "cyrillic capital letter em and blanks side by side"),
            ("NM\x7fNM 1", "an unknown character"),
            ("NM\ufff9NM 1", "interlinear annotation anchor"),
            ("NMNM 01", ""),
        ],
    )
    def test_names_what_makes_two_names_of_one(self, name: str, words: str) -> None:
        assert unseen_in(name, "NMNM 1") == words


class TestDoubtsAboutCharacters:
    @pytest.mark.parametrize(
        "number",
        [
            "NMNM 0501759", "NMNM 0028446A", "NMLC 0029005B", "NMNM 14321", "NMNM 12E5", "WYW 123456", "B0-1234-5",
            "VB-0514-1", "LO-123", "V0-7890-0001", "VO-1234", "E0-5229-11", "NM-NM-095055-A", "NMNM 095055 A", "0925002",
            "NMNM109700001", "nmnm 0501759a", "Lot 12", "Sand and Gravel 12", "NMNM 0501759 OIL", "12345",
        ],
    )  # fmt: skip
    def test_are_none_about_what_people_type(self, number: str) -> None:
        assert doubts_about_number(number) == doubts_about_characters(number) == []

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("B0\N{EN DASH}1", "“\N{EN DASH}” (en dash) only looks like “-”; type it again by hand."),
            ("B0\N{MINUS SIGN}1", "“\N{MINUS SIGN}” (minus sign) only looks like “-”; type it again by hand."),
            ("N\N{CYRILLIC CAPITAL LETTER EM} 1", "(cyrillic capital letter em) only looks like “M”"),
            ("\N{GREEK SMALL LETTER NU} 1", "(greek small letter nu) only looks like “n”"),
            ("1\N{SUPERSCRIPT TWO}", "(superscript two) only looks like “2”"),
            ("\N{LATIN SMALL LIGATURE FI} 1", "only looks like “fi”"),
            ("\N{LATIN SMALL LETTER DOTLESS I} 1", "only looks like “i”"),
            ("\N{ARABIC-INDIC DIGIT THREE}", "(arabic-indic digit three) is rarely part of a lease number."),
            ("NMNM  1", "There are two blanks side by side; one of them may be too many."),
            ("\N{SECTION SIGN} 1", "(section sign) is rarely part of a lease number."),
            ("NMNM \u00d8028446", "“\u00d8” (latin capital letter o with stroke) only looks like “0”; type it again"),
            ("NMNM \u00f8028446", "(latin small letter o with stroke) only looks like “0”"),
            ("NMNM \u01bc", "(latin capital letter tone five) only looks like “5”"),
            ("NMNM \u0196", "(latin capital letter iota) only looks like “1”"),
            ("NMNM \u01b7", "(latin capital letter ezh) only looks like “3”"),
            ("NMNM \u021c", "(latin capital letter yogh) only looks like “3”"),
            ("NMNM \u0222", "(latin capital letter ou) only looks like “8”"),
            ("NMNM \u01a7", "(latin capital letter tone two) only looks like “2”"),
            ("NMNM \u01c04321", "(latin letter dental click) only looks like “1”"),
            ("NMNM \N{CYRILLIC CAPITAL LETTER ZE}1", "(cyrillic capital letter ze) only looks like “3”"),
            ("\N{LATIN CAPITAL LETTER ENG}MNM 1", "(latin capital letter eng) is rarely part of a lease number."),
            ("\N{LATIN CAPITAL LETTER N WITH TILDE} 1", "(latin capital letter n with tilde) is rarely part"),
            ("\N{CYRILLIC CAPITAL LETTER ZHE} 1", "(cyrillic capital letter zhe) is rarely part"),
            ("\N{HEBREW LETTER ALEF} 1", "(hebrew letter alef) is rarely part"),
            ("NMNM \N{DEVANAGARI DIGIT FIVE}", "(devanagari digit five) is rarely part"),
            ("NMNM.1", "“.” (full stop) is rarely part of a lease number."),
            ("NMNM 14321.", "“.” (full stop) is rarely part of a lease number."),
            ("NMNM:1", "“:” (colon) is rarely part of a lease number."),
            ("NMNM #1", "“#” (number sign) is rarely part of a lease number."),
            ("NMNM ~1", "“~” (tilde) is rarely part of a lease number."),
            ("NMNM_1", "“_” (low line) is rarely part of a lease number."),
            ("NMNM (1", "“(” (left parenthesis) is rarely part of a lease number."),
            ("O'Neill 1", "“'” (apostrophe) is rarely part of a lease number."),
            ("NMNM 14321;", "“NMNM 14321;” holds a separator: see whether it is one lease number."),
            ("NMNM 1|", "“NMNM 1|” holds a separator: see whether it is one lease number."),
            ("B0--1", "There is a hyphen too many, or something beside it is missing."),
            ("NMNM 1-", "There is a hyphen too many, or something beside it is missing."),
            ("-1", "There is a hyphen too many, or something beside it is missing."),
        ],
    )
    def test_name_what_only_looks_right(self, number: str, sentence: str) -> None:
        (doubt,) = doubts_about_characters(number)

        assert sentence in doubt

    @pytest.mark.parametrize("number", ["9.4E+06", "9,4E+06", "9.4e+06", "94E5", "1.23457E+12", "9E-3"])
    def test_of_a_number_that_a_spreadsheet_has_shortened_are_that_alone(self, number: str) -> None:
        sentence = f"“{number}” looks like a number that a spreadsheet has shortened: type all of its digits."

        assert doubts_about_number(number) == [sentence]

    @pytest.mark.parametrize(
        ("number", "letter", "digit"),
        [
            ("NMNM 0O28446A", "“O” (latin capital letter o)", "0"),
            ("NMNM o028446", "“o” (latin small letter o)", "0"),
            ("NMNM 002844I", "“I” (latin capital letter i)", "1"),
            ("VB-O514-1", "“O” (latin capital letter o)", "0"),
            ("VB-0514-l", "“l” (latin small letter l)", "1"),
            ("VB-0514-I", "“I” (latin capital letter i)", "1"),
            ("VB-0514-OO", "“O” (latin capital letter o)", "0"),
            ("NMNM002l8446", "“l” (latin small letter l)", "1"),
            ("V1O2-1", "“O” (latin capital letter o)", "0"),
            ("O925002", "“O” (latin capital letter o)", "0"),
        ],
    )
    def test_name_a_letter_that_stands_for_a_digit(self, number: str, letter: str, digit: str) -> None:
        assert doubts_about_characters(number) == [f"{letter} stands where digits do: see whether “{digit}” is meant."]

    @pytest.mark.parametrize("number", ["NMNM \u00d8O1", "NMNM O1;", "NMNM  O1", "NMNM O1.", "VB\N{EN DASH}l"])
    def test_tell_each_thing_once(self, number: str) -> None:
        doubts = doubts_about_characters(number)

        assert len(doubts) == len(set(doubts)) == 2

    def test_stay_few(self) -> None:
        assert len(doubts_about_characters("абвгдежз")) == 3

    @pytest.mark.matrix
    def test_are_told_of_all_that_no_lease_number_is_written_with(self) -> None:
        usual = set(string.ascii_letters + string.digits + " -")

        silent = [char for char in CHARACTERS if char not in usual and not doubts_about_characters(f"A{char}1")]

        assert silent == []


class TestDoubtsAboutNumber:
    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("Pending", "“Pending” has no digit: see whether it is a lease number."),
            ("see the file of 12 May by Ivan", "This reads like a text: see whether it is a lease number."),
            ("NMNM 0501759, NMNM 0501760", "This reads like several lease numbers: give each of them by itself."),
            ("NMNM 0501759 and NMNM 0501760", "This reads like several lease numbers: give each of them by itself."),
        ],
    )
    def test_are_told_of_what_may_be_no_number(self, number: str, sentence: str) -> None:
        assert doubts_about_number(number) == [sentence]

    @pytest.mark.parametrize(
        "number",
        [
            "5-Jan", "5-jan-14", "12-Sept-2014", "Jan-05", "Mar-2014", "5 January 2014", "2014-05-01",
            "2014-05-01 00:00:00", "1/2/2014", "01.05.2014", "1-5-2014", "05/01/14",
        ],
    )  # fmt: skip
    def test_are_told_of_what_a_spreadsheet_has_made_a_date_of(self, number: str) -> None:
        assert doubts_about_number(number) == [
            f"“{number}” looks like a date that a spreadsheet has made of a number: type the number as it was."
        ]

    @pytest.mark.parametrize("number", ["MAR-0514-1", "JA-05", "V-5-1", "1-5", "JAN 0014321", "DEC-123456"])
    def test_are_not_told_of_what_is_no_date(self, number: str) -> None:
        assert doubts_about_number(number) == []

    def test_come_with_those_about_characters(self) -> None:
        assert [doubt[:3] for doubt in doubts_about_number("Pending.")] == ["“Pe", "“.”"]
