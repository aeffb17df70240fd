import json
from typing import Any

import pytest

from documents.errors import InvalidMetadata, InvalidName, InvalidUniqueName
from documents.names import (
    METADATA_AT_MOST_BYTES,
    RESERVED,
    checked_metadata,
    checked_name,
    checked_unique_name,
    new_unique_name,
    safe_name,
)
from storage.backends.keys import check_key


class TestNames:
    @pytest.mark.parametrize(
        ("said", "kept"), [(" a.pdf ", "a.pdf"), ("Fla\u0308che", "Fl\xe4che"), ("x" * 200, "x" * 200)]
    )
    def test_are_kept_as_people_read_them(self, said: str, kept: str) -> None:
        assert checked_name(said) == kept

    @pytest.mark.parametrize(
        "said", ["", "  ", ".", "..", "a/b", "a\\b", "a\nb", "a\0", "\ud800", "x" * 201, "a\u202efdp.exe"]
    )
    def test_are_refused(self, said: str) -> None:
        with pytest.raises(InvalidName):
            checked_name(said)

    @pytest.mark.parametrize(
        ("name", "safe"),
        [
            ("Deed of 1907.pdf", "Deed_of_1907.pdf"),
            ("../../etc/passwd", "etc_passwd"),
            ("Fl\xe4che \u2013 Plan.PDF", "Flache_Plan.PDF"),
            ("\u5951\u7ea6.pdf", "pdf"),
            ("\u5951\u7ea6", "file"),
            (".htaccess", "htaccess"),
            ("a.tar.gz", "a.tar.gz"),
            ("x" * 200 + ".pdf", "x" * 96 + ".pdf"),
            ("a." + "y" * 200, "a." + "y" * 25),
            ("-.pdf", "pdf"),
        ],
    )
    def test_are_plain_in_storage(self, name: str, safe: str) -> None:
        assert safe_name(name) == safe
        assert check_key(f"1/documents/1/1/{safe}")


class TestUniqueNames:
    @pytest.mark.parametrize("name", ["abc", "A-1", "x" * 80])
    def test_are_letters_digits_and_hyphens(self, name: str) -> None:
        assert checked_unique_name(name) == name

    @pytest.mark.parametrize(
        "name", ["ab", "-abc", "abc-", "a b", "\xe4bc", "x" * 81, "abc\n", "Admin", *sorted(RESERVED)[:3]]
    )
    def test_are_refused(self, name: str) -> None:
        with pytest.raises(InvalidUniqueName):
            checked_unique_name(name)

    @pytest.mark.parametrize("name", ["Deed of 1907.pdf", "\u5951\u7ea6.pdf", "x" * 200, ".pdf", "login"])
    def test_are_made_so_that_nobody_guesses_them(self, name: str) -> None:
        made = {checked_unique_name(new_unique_name(name)) for _ in range(50)}

        assert len(made) == 50


class TestMetadata:
    @pytest.mark.parametrize(
        "said",
        [
            [],
            {"": 1},
            {"k" * 101: 1},
            {1: 1},
            {"a\n": 1},
            {"a": "\0"},
            {"a": ["\ud800"]},
            {"a": float("inf")},
            {"a": object()},
            {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
            {"a": "x" * METADATA_AT_MOST_BYTES},
        ],
    )
    def test_is_refused(self, said: Any) -> None:
        with pytest.raises(InvalidMetadata):
            checked_metadata(said)

    def test_is_kept_as_it_is(self) -> None:
        said = {"a": [1, 2.5, None, True, {"b": "\xf6"}], "c": {"d": {"e": {"f": "g"}}}}

        assert json.loads(json.dumps(checked_metadata(said))) == said
