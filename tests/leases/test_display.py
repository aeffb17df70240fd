"""Badges and times, as every page shows them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from core import clock
from leases.display import LABELS, SIGNS, ago, countdown, distance_text, state_badge
from leases.states import NoticeState, State

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("leases.display.now", lambda: AT)
    assert clock.now() != AT
    return AT


class TestStateBadge:
    @pytest.mark.parametrize("state", [*State, *NoticeState])
    def test_has_a_colour_a_sign_and_a_word(self, state: str) -> None:
        badge = state_badge(state)

        assert f"state-{state}" in badge
        assert SIGNS[state] in badge  # type: ignore[index]
        assert LABELS[state] in badge

    def test_has_a_sign_of_its_own_for_every_state_of_a_lease(self) -> None:
        assert len({SIGNS[state] for state in State}) == len(State)

    def test_takes_other_words(self) -> None:
        assert "812 failed" in state_badge("failed", "812 failed")

    def test_escapes_what_it_does_not_know(self) -> None:
        assert "<b>" not in state_badge("<b>")


class TestAgo:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "just now"),
            (-30, "30 s ago"),
            (-200, "3 min ago"),
            (-7300, "2 h ago"),
            (-3 * 86400, "3 days ago"),
            (-90 * 86400, "3 months ago"),
            (42, "in 42 s"),
        ],
    )
    def test_says_how_far_off_it_is(self, seconds: int, words: str) -> None:
        assert distance_text(timedelta(seconds=seconds)) == words

    def test_has_the_exact_time_with_its_zone(self, noon: datetime) -> None:
        text = ago(noon - timedelta(minutes=3))

        assert ">3 min ago<" in text
        assert 'title="2026-03-01 04:57:00 MST"' in text

    def test_may_never_have_been(self) -> None:
        assert ago(None) == "never"

    def test_is_a_tag(self, noon: datetime) -> None:
        text = Template("{% load console %}{% ago at %}{% state_badge 'done' %}").render(Context({"at": noon}))

        assert "just now" in text
        assert "state-done" in text


class TestCountdown:
    def test_counts_down(self, noon: datetime) -> None:
        assert ">0:42<" in countdown(noon + timedelta(seconds=42))

    def test_ends_at_nothing(self, noon: datetime) -> None:
        assert ">0:00<" in countdown(noon - timedelta(seconds=42))
