"""The database and the code see the same look-alikes, whatever locale the database has."""

import unicodedata

import pytest
from django.db import connection

from core.folding import LOOK_ALIKE_LETTERS, LOWER_CASE, fold_case
from leases.lookalikes import bare_key, difference, doubts_about_characters, is_alike, short_key, unseen_in

# Whatever either of them may treat specially; control characters and halves of pairs are in no number.
CHARACTERS = [
    char
    for char in map(chr, range(0x20, 0x30000))
    if char.isprintable() or unicodedata.category(char) in {"Cf", "Zs", "Mn", "Lo"}
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


class TestIsAlike:
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
    @pytest.mark.parametrize("number", ["NMNM 0501759", "B0-1234-5", "Ñ 1", "Señor 1", "straße", "a.b", "'1"])
    def test_are_none_about_what_people_type(self, number: str) -> None:
        assert doubts_about_characters(number) == []

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
        ],
    )
    def test_name_what_only_looks_right(self, number: str, sentence: str) -> None:
        (doubt,) = doubts_about_characters(number)

        assert sentence in doubt

    def test_stay_few(self) -> None:
        assert len(doubts_about_characters("абвгдежз")) == 3
