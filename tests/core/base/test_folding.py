import unicodedata

import pytest

from core.base.folding import as_it_looks, fold_case, is_same_path, printable, without_unseen
from tests.characters import EVERY_CHARACTER


class TestFoldCase:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("NMNM", "nmnm"),
            ("\u00d1", "\u00f1"),
            ("\u0130", "i"),
            ("\u0416", "\u0436"),
            ("\u03f4", "\u03b8"),
            ("\u212a", "k"),
        ],
    )
    def test_knows_one_case_of_what_dropbox_does(self, one: str, other: str) -> None:
        assert fold_case(one) == fold_case(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("stra\u00dfe", "STRASSE"),
            ("\ufb01 1", "FI 1"),
            ("\u1e9e", "\u00df"),  # a capital that is newer than Dropbox's table
            ("\u0131", "I"),
            ("\u017f", "s"),
            ("\u03c2", "\u03c3"),  # the two small sigmas
            ("\u00b5", "\u03bc"),
            ("\u13a0", "\uab70"),  # a Cherokee letter that has got a small one since
            ("\u023a", "\u2c65"),
        ],
    )
    def test_takes_nothing_else_for_the_same(self, one: str, other: str) -> None:
        assert fold_case(one) != fold_case(other)

    def test_makes_one_character_of_one(self) -> None:
        assert all(len(fold_case(char)) == 1 for char in EVERY_CHARACTER)

    def test_done_twice_says_the_same(self) -> None:
        assert [char for char in EVERY_CHARACTER if fold_case(fold_case(char)) != fold_case(char)] == []

    def test_is_in_nothing_bolder_than_the_language_s_own(self) -> None:
        folded = {char: fold_case(char) for char in EVERY_CHARACTER if fold_case(char) != char}

        # The one whose small letter was found another afterwards, and the one that has two characters by now.
        assert {char for char, low in folded.items() if char.lower() != low} == {"\u0130", "\u0241"}


class TestIsSamePath:
    def test_knows_a_path_in_another_case_and_normal_form(self) -> None:
        assert is_same_path("/A/Se\u00f1or", "/a/sen\u0303OR")

    def test_takes_no_letters_for_others(self) -> None:
        assert not is_same_path("/a/stra\u00dfe", "/a/strasse")


class TestWithoutUnseen:
    def test_leaves_what_is_seen(self) -> None:
        assert (
            without_unseen("Master Documents \u2013 \ufb01nal\n\u0416") == "Master Documents \u2013 \ufb01nal\n\u0416"
        )

    def test_leaves_as_many_ordinary_blanks_as_there_are_of_any_kind(self) -> None:
        assert without_unseen("\u3000a\u00a0\u2009 b\u200b\u00adc ") == " a   bc "


class TestAsItLooks:
    @pytest.mark.parametrize(
        "text",
        [
            "MASTER\u00a0\u00a0Documents",
            "Master\u2009Docu\u00adments",
            "Master \u200bDocuments\ufeff",
            "\uff2d\uff41\uff53\uff54\uff45\uff52\u3000Documents",
            "\u041c\u0430st\u0435r Documents",
            "\U0001d40caster Documents",
        ],
    )
    def test_is_what_a_reader_reads(self, text: str) -> None:
        assert as_it_looks(text) == "master documents"

    @pytest.mark.parametrize(
        ("one", "other"), [("a\u2013b", "a-b"), ("o\u2019s", "o's"), ("\u201ca\u201d", '"a"'), ("\ufb01", "fi")]
    )
    def test_folds_what_typewriters_had_one_sign_for(self, one: str, other: str) -> None:
        assert as_it_looks(one) == as_it_looks(other)

    def test_keeps_scripts_that_look_like_nothing_of_ours(self) -> None:
        assert as_it_looks("\u0416\u4e2d") == "\u0436\u4e2d"

    @pytest.mark.matrix
    def test_knows_each_character_by_its_folded_self(self) -> None:
        odd = [char for char in EVERY_CHARACTER if unicodedata.category(char)[0] in "LNP"]

        assert [char for char in odd if as_it_looks(as_it_looks(char)) != as_it_looks(char)] == []


class TestPrintable:
    @pytest.mark.parametrize(
        ("text", "expected"), [("B\u00fccher.csv", "B\u00fccher.csv"), ("a\udcff\x1bb", "a\ufffd\ufffdb")]
    )
    def test_is_what_every_database_and_terminal_takes(self, text: str, expected: str) -> None:
        assert printable(text) == expected
