"""Evidence stays short enough to be kept and shown, and says how much of it was left out."""

from typing import Any

import pytest

from statemachine.evidence import CHARACTERS_AT_MOST, LISTED_AT_MOST, bounded, is_more, listed


class TestBounded:
    @pytest.mark.parametrize(
        "value", [None, True, 7, "text", [], {}, ["a"] * LISTED_AT_MOST, {"a": {"b": ["c"]}}], ids=repr
    )
    def test_leaves_alone_what_is_short(self, value: Any) -> None:
        assert bounded(value) == value

    def test_counts_what_a_list_leaves_out(self) -> None:
        found = bounded({"matching": [f"{number}.pdf" for number in range(30_000)]})["matching"]

        assert (len(found), found[0], found[-1]) == (51, "0.pdf", "… and 29,950 more")

    def test_counts_what_an_object_leaves_out(self) -> None:
        found = bounded(dict.fromkeys(map(str, range(60)), 1))

        assert (len(found), found["…"]) == (51, "… and 10 more")

    def test_cuts_a_text_wherever_it_stands(self) -> None:
        found = bounded({"error": [{"body": "x" * 1_000_000}]})

        assert found["error"][0]["body"] == "x" * CHARACTERS_AT_MOST + "…"

    def test_done_twice_says_the_same(self) -> None:
        once = bounded({"list": [*range(60)], "text": "x" * 9_000, "object": dict.fromkeys(map(str, range(60)), 1)})

        assert bounded(once) == once


class TestListed:
    def test_says_how_many_more_there_are(self) -> None:
        assert listed(["a"], count=3) == ["a", "… and 2 more"]
        assert listed(["a"], count=1) == ["a"]


@pytest.mark.parametrize(("value", "is_it"), [("… and 2 more", True), ("Master … and 2 more", False), (2, False)])
def test_tells_what_is_left_out_from_what_is_listed(value: object, is_it: bool) -> None:
    assert is_more(value) is is_it
