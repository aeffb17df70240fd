"""What a run tells at its end is words and units, no values of Python's."""

from collections import Counter
from typing import Any

import pytest

from tests.chaos.telling import counted, in_words, seconds


class TestTelling:
    @pytest.mark.parametrize(
        ("figures", "words"),
        [
            ({"took_s": 1234.56, "rows": 1200, "bytes": 2_340_000}, "took 1,234.6 s, 1,200 rows, 2.3 MB"),
            (
                {"took_s": 9.3, "parts_s": {"storage": 9.262, "database": 1.0}, "files": 3},
                "took 9.3 s, of which storage 9.3 s, database 1.0 s, 3 files",
            ),
        ],
    )
    def test_figures_have_units(self, figures: dict[str, Any], words: str) -> None:
        assert in_words(figures) == words

    def test_counts_stand_behind_what_they_count(self) -> None:
        assert counted(Counter({"crash": 3, "stall": 1000})) == "crash 3, stall 1,000"
        assert counted({}) == "nothing"

    def test_seconds_are_a_list(self) -> None:
        assert seconds((0.0, -3.5)) == "0 s, -3.5 s"
