import pytest
from django.core.exceptions import ValidationError

from leases.validation import normalise_base_path, validate_lease_number


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
        ],
    )
    def test_refuses_with_one_sentence(self, number: str, sentence: str) -> None:
        with pytest.raises(ValidationError) as refused:
            validate_lease_number(number)

        (message,) = refused.value.messages
        assert sentence in message


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
        ],
    )
    def test_refuses_with_one_sentence(self, typed: str, sentence: str) -> None:
        with pytest.raises(ValidationError) as refused:
            normalise_base_path(typed)

        (message,) = refused.value.messages
        assert sentence in message
