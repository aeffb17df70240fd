import unicodedata
from typing import Literal

import pytest
from django.core.exceptions import ValidationError

from leases.validation import (
    archive_path,
    normalise_base_path,
    normalise_lease_number,
    normalise_number,
    normalise_text,
    validate_lease_number,
)
from tests.characters import EVERY_CODE

BASE = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
# The halves of surrogate pairs too.
NOT_ASCII = [chr(code) for code in EVERY_CODE if code >= 0x80]

BLANKS = " \u00a0\u1680\u2000\u2002\u2003\u2007\u2009\u200a\u202f\u205f\u3000\u2800\u3164"
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\u2066\u2069\u034f\ufe0f\U000e0100"


def is_accepted(number: str) -> bool:
    try:
        validate_lease_number(number)
    except ValidationError:
        return False
    return True


class TestValidateLeaseNumber:
    @pytest.mark.parametrize(
        "number", ["NMNM 0501759", "NMLC 0028446A", "B0-1234-5", "nmnm 0501759", "12345", "Ñ 1", "a.b", "^x"]
    )
    def test_accepts_what_agencies_write(self, number: str) -> None:
        validate_lease_number(number)

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("", "Enter a lease number"),
            ("NMNM/1", "must not contain “/”"),
            ("NMNM\\1", "must not contain “\\”"),
            ("..", "must not contain “..”"),
            ("a..b", "must not contain “..”"),
            (".", "single dot"),
            (" NMNM 1", "Remove the blanks"),
            ("NMNM 1 ", "Remove the blanks"),
            ("NMNM\x001", "control characters"),
            ("NMNM\n1", "control characters"),
            ("NMNM\u200b1", "invisible characters"),
            ("NMNM\u00a01", "invisible characters"),
            ("N" * 300, "at most 100 characters; this one has 300"),
            ("a\u2044b", "contain “\u2044”, which only looks like a dot or a slash"),  # fraction slash
            ("a\u2215b", "only looks like"),  # division slash
            ("a\uff0fb", "only looks like"),  # full-width slash
            ("a\u29f8b", "only looks like"),  # big solidus
            ("a\u0338b", "only looks like"),  # a slash laid over the letter before
            ("a\uff3cb", "only looks like"),  # full-width backslash
            ("a\ufe68b", "only looks like"),  # small backslash
            ("a\u2216b", "only looks like"),  # set minus
            ("\uff0e\uff0e", "only looks like"),  # full-width dots
            ("\u2024\u2024", "only looks like"),  # one-dot leaders
            ("\u2025", "only looks like"),  # two-dot leader
            ("\u2026", "only looks like"),  # ellipsis
            ("\u2105", "only looks like"),  # “care of”, which has a slash in it
            ("%2e%2e%2fNMNM 1", "percent codes"),
            ("%252e%252e", "percent codes"),
            ("%c0%ae%c0%ae", "percent codes"),
            ("%u2215", "percent codes"),
            ("NMNM 1%00", "percent codes"),
            ("NMNM\u31641", "invisible characters"),  # Hangul filler
            ("NMNM\u28001", "invisible characters"),  # Braille blank
            ("NMNM 1\ufe0f", "invisible characters"),  # variation selector
            ("NMNM 1\u3000", "invisible characters"),  # ideographic blank
            ("\u202eMNMN", "invisible characters"),  # right-to-left override
            ("NMNM 1\udc80", "invisible characters"),  # half of a surrogate pair
        ],
    )
    def test_refuses_with_one_sentence(self, number: str, sentence: str) -> None:
        with pytest.raises(ValidationError) as refused:
            validate_lease_number(number)

        (message,) = refused.value.messages
        assert sentence in message

    @pytest.mark.parametrize("fold", ["NFC", "NFD", "NFKC", "NFKD"])
    def test_accepts_no_character_that_becomes_a_dot_or_a_slash(
        self, fold: Literal["NFC", "NFD", "NFKC", "NFKD"]
    ) -> None:
        dangerous = [char for char in NOT_ASCII if set(unicodedata.normalize(fold, char)) & set("./\\")]

        assert [char for char in dangerous if is_accepted(f"a{char}b")] == []

    def test_accepts_no_character_whose_other_case_is_a_dot_or_a_slash(self) -> None:
        dangerous = [c for c in NOT_ASCII if set(c.lower() + c.upper() + c.casefold()) & set("./\\")]

        assert [char for char in dangerous if is_accepted(f"a{char}b")] == []

    def test_a_percent_sign_alone_is_a_character_like_others(self) -> None:
        validate_lease_number("50 % of NMNM 1")


class TestNormaliseNumber:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            *((f"{blank}Sen\u0303or{blank}1{blank}", "Se\u00f1or 1") for blank in BLANKS),
            *((f"NM{unseen}NM 1{unseen}", "NMNM 1") for unseen in UNSEEN),
            ("NMNM\u2009\u00a01", "NMNM  1"),
            ("\uff2e\uff2d\uff2e\uff2d\u3000\uff10\uff11", "NMNM 01"),
            ("B0\u20101234\u20115", "B0-1234-5"),
            ("\x1fNMNM 1\x1f", "NMNM 1"),
            ("\tNMNM 1\r\n", "NMNM 1"),
            ("'NMNM 0925001 ", "NMNM 0925001"),
            ("\u20190925002", "0925002"),
            ("\uff070925002", "0925002"),
            ("'0925002'", "0925002"),
            ('="00628"', "00628"),
            ("'", ""),
        ],
    )
    def test_folds_what_nobody_sees(self, typed: str, kept: str) -> None:
        assert normalise_number(typed) == kept

    @pytest.mark.parametrize(
        "number",
        [
            "NMNM\n1",
            "NMNM  1",
            "NM\tNM",
            "NMNM\u202e1",
            "B0\u20131",
            "O'Neill 1",
            "5' 1",
            "N\u041c 1",
            "\ufb01 1",
            "1\u00b2",
            "stra\u00dfe",
        ],
    )
    def test_changes_nothing_that_is_seen(self, number: str) -> None:
        assert normalise_number(number) == number

    @pytest.mark.matrix
    def test_done_twice_says_the_same(self) -> None:
        def is_final(number: str, *, of: str) -> bool:
            return number == of or normalise_number(number) == number

        texts = [f"{char}'{char}1{char}a{char}'" for char in NOT_ASCII[:0xFFFF]] + ["''1", "\"'1'\"", '="\'1"']

        assert [text for text in texts if not is_final(normalise_number(text), of=text)] == []

    @pytest.mark.matrix
    def test_what_it_leaves_is_refused_if_it_is_not_seen(self) -> None:
        # Nothing that is drawn as nothing or as a blank comes through.
        unseen = [
            char for char in NOT_ASCII if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
        ]
        left = {char: number for char in unseen if (number := normalise_number(f"a{char}b")) != "ab"}

        assert [char for char, number in left.items() if "b" in number and is_accepted(number)] == []


class TestNormaliseLeaseNumber:
    def test_is_the_number_as_it_is_kept(self) -> None:
        assert normalise_lease_number("\u00a0NMNM\u00a01") == "NMNM 1"

    @pytest.mark.parametrize("text", ["", "''", "\uff0e\uff0e", "a\uff0fb", "\uff052F", "NMNM\n1", "\u202e1"])
    def test_refuses_what_it_has_become(self, text: str) -> None:
        with pytest.raises(ValidationError):
            normalise_lease_number(text)


class TestNormaliseText:
    def test_makes_no_character_into_a_dot_or_a_slash(self) -> None:
        assert [char for char in NOT_ASCII if set(normalise_text(char)) & set("./\\")] == []


class TestArchivePath:
    def test_lies_directly_in_the_base_path(self) -> None:
        assert archive_path(base_path=BASE, lease_number="NMNM 1") == f"{BASE}/NMNM 1"

    @pytest.mark.parametrize("number", ["..", "../a", "a/b", "a\\b", " ", "", "a ", "%2e%2e", "a\x00b", "N\u0303 1"])
    def test_does_not_believe_a_number_from_the_database(self, number: str) -> None:
        with pytest.raises(ValidationError):
            archive_path(base_path=BASE, lease_number=number)

    @pytest.mark.parametrize("path", ["", "/", "/a/..", "/a/.. /b", "a", "/a/", "/a//b", "/a\\b", "/N\u0303"])
    def test_does_not_believe_a_base_path_from_the_database(self, path: str) -> None:
        with pytest.raises(ValidationError):
            archive_path(base_path=path, lease_number="NMNM 1")


class TestNormaliseBasePath:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("/a", "/a"),
            ("/a/", "/a"),
            ("//a//b/", "/a/b"),
            ("/ a /b ", "/a/b"),
            (
                "/State Workspace/^Runsheet Workspace/Archive - New/",
                "/State Workspace/^Runsheet Workspace/Archive - New",
            ),
            ("/cafe\u0301", "/caf\u00e9"),
            ("/Section \u00bd", "/Section \u00bd"),
            ("/Archive\u2026", "/Archive\u2026"),
            ("/a.b/...c", "/a.b/...c"),
        ],
    )
    def test_keeps_one_spelling(self, typed: str, kept: str) -> None:
        assert normalise_base_path(typed) == kept
        assert normalise_base_path(kept) == kept

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("", "Enter the path"),
            ("/", "Enter the path"),
            ("  ", "Enter the path"),
            ("a/b", "begins with a slash: write “/a/b”"),
            ("/a\\b", "not with “\\”"),
            ("/a/../b", "“.” or “..”"),
            ("/./b", "“.” or “..”"),
            ("/a\x07", "control characters"),
            ("/" + "a" * 600, "at most 500 characters"),
            ("/a/.. /b", "“.” or “..”"),
            ("/a/.../b", "“.” or “..”"),
            ("/a/\uff0e\uff0e/b", "“.” or “..”"),
            ("/a/\u2025/b", "“.” or “..”"),
            ("/a/.\u2024/b", "“.” or “..”"),
            ("/a\u2215..\u2215b", "only looks like a slash"),
            ("/a\uff3cb", "only looks like a slash"),
            ("/a/%2e%2e/b", "percent codes"),
            ("/a/%2fb", "percent codes"),
            ("/a\u3164/b", "invisible characters"),
            ("/a\x00/b", "invisible characters"),
        ],
    )
    def test_refuses_with_one_sentence(self, typed: str, sentence: str) -> None:
        with pytest.raises(ValidationError) as refused:
            normalise_base_path(typed)

        (message,) = refused.value.messages
        assert sentence in message
