"""Badges, as every page shows them."""

import pytest

from console import own
from console.machine.badges import (
    MARKS,
    TICK,
    UNKNOWN,
    WARNING,
    Appearance,
    label_of,
    mark,
    names,
    show,
    sign,
    state_badge,
)
from console.models import FailureNotice
from console.notices.states import NoticeState
from leases import console
from leases.models import Lease
from leases.states import State
from statemachine.models import STOPPED
from tests.toy.models import Kettle

STATES = [*((Lease, state) for state in [*State, STOPPED]), *((FailureNotice, state) for state in NoticeState)]


class TestStateBadge:
    @pytest.mark.parametrize(("machine", "state"), STATES)
    def test_has_a_colour_a_sign_and_a_word(self, machine: type[Lease | FailureNotice], state: str) -> None:
        [declared] = [each for each in (*console.APPEARANCES, own.NOTICE) if each.machine is machine]

        badge = state_badge(machine, state)

        assert f'class="state state-{state}"' in badge
        assert declared.signs[state] in badge
        assert declared.label_of(state) in badge

    def test_has_a_sign_of_its_own_for_every_state_of_a_lease(self) -> None:
        assert (
            len({sign(Lease, state) for state in Lease.shown_states()}) == len(Lease.shown_states()) == len(State) + 1
        )

    def test_takes_other_words(self) -> None:
        assert "812 failed" in state_badge(Lease, "failed", "812 failed")

    @pytest.mark.parametrize("machine", [Lease, "leases.lease", "nobody.knows", "", Kettle])
    def test_escapes_what_it_does_not_know(self, machine: str) -> None:
        badge = state_badge(machine, "<b>")

        assert "<b>" not in badge
        assert UNKNOWN in badge


class TestTwoMachines:
    def test_may_call_a_state_alike_and_show_it_differently(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("console.machine.badges._APPEARANCES", {})
        show(
            Appearance(machine=Lease, name="lease", signs={"failed": WARNING}),
            Appearance(machine=Kettle, name="kettle", signs={"failed": TICK}, labels={"failed": "Boiled dry"}),
        )

        assert label_of(Lease(), "failed") == "Failed"
        assert label_of("toy.kettle", "failed") == "Boiled dry"
        assert WARNING in sign(Lease, "failed")
        assert TICK in sign(Kettle(), "failed")
        assert names() == ["lease", "kettle"]


class TestMachineThatDeclaresNothing:
    def test_is_called_by_its_own_words(self) -> None:
        assert label_of(Kettle, "heating") == "Heating"
        assert UNKNOWN in sign("toy.kettle", "heating")


class TestModelThatIsNoMachine:
    def test_has_no_states(self) -> None:
        assert label_of("auth.user", "active") == "Active"


class TestMark:
    @pytest.mark.parametrize("kind", MARKS)
    def test_looks_like_a_state_and_is_none(self, kind: str) -> None:
        colour, drawn = MARKS[kind]

        badge = mark(kind, "Well & good")

        assert f"state-{colour}" in badge
        assert drawn in badge
        assert "Well &amp; good" in badge
