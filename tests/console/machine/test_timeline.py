"""How long something has lasted, as a person would say it."""

from datetime import timedelta

import pytest

from console.machine.timeline import duration_text


class TestDurationText:
    @pytest.mark.parametrize(
        ("duration", "text"),
        [
            (timedelta(), "0 ms"),
            (timedelta(milliseconds=140.4), "140 ms"),
            (timedelta(milliseconds=999.6), "1.0 s"),
            (timedelta(seconds=59), "59.0 s"),
            (timedelta(seconds=59, milliseconds=990), "1 min 0 s"),
            (timedelta(minutes=2, seconds=5), "2 min 5 s"),
            (timedelta(minutes=2, seconds=59.9), "2 min 59 s"),
            (timedelta(hours=3, minutes=4), "3 h 4 min"),
            (timedelta(days=2, hours=5), "2 d 5 h"),
        ],
    )
    def test_is_in_the_two_largest_units(self, duration: timedelta, text: str) -> None:
        assert duration_text(duration) == text
