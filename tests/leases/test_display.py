"""Badges, as every page shows them."""

import pytest

from leases.display import LABELS, SIGNS, state_badge
from leases.states import SHOWN, STOPPED, NoticeState, State


class TestStateBadge:
    @pytest.mark.parametrize("state", [*State, *NoticeState, STOPPED])
    def test_has_a_colour_a_sign_and_a_word(self, state: str) -> None:
        badge = state_badge(state)

        assert f"state-{state}" in badge
        assert SIGNS[state] in badge
        assert LABELS[state] in badge

    def test_has_a_sign_of_its_own_for_every_state_of_a_lease(self) -> None:
        assert len({SIGNS[state] for state in SHOWN}) == len(SHOWN) == len(State) + 1

    def test_takes_other_words(self) -> None:
        assert "812 failed" in state_badge("failed", "812 failed")

    def test_escapes_what_it_does_not_know(self) -> None:
        assert "<b>" not in state_badge("<b>")
