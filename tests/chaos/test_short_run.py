"""A little of everything, always the same: `make chaos` is the long one."""

from collections.abc import Mapping, Sequence

import pytest

from tests.chaos.plan import HOSTS, SHORT, UPGRADE
from tests.chaos.telling import LEFT_OUT
from tests.chaos.together import DOCUMENT_BLOWS, HOSTS_SEED, UNFENCED_RULE, WATCHED

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.process]

Chaos = Mapping[str, list[str]]


class TestShortRun:
    def test_loses_repeats_and_mixes_up_nothing(self, chaos: Chaos) -> None:
        right = f"{SHORT.leases} of {SHORT.leases} leases are right (seed 3)"

        assert chaos["short"][-1:] == [right], "\n".join(chaos["short"])


class TestWithoutTheFence:
    def test_the_oracle_goes_red(self, chaos: Chaos) -> None:
        said = "\n".join(chaos["unfenced"])

        assert f"WRONG  {UNFENCED_RULE}" in said, said


class TestCups:
    """Slices and sets; `python -m tests.chaos.cups` is a longer run."""

    def test_lose_and_repeat_no_slice_and_no_row_of_a_set(self, chaos: Chaos) -> None:
        assert chaos["cups"][-1:] == ["60 of 60 cups are right (seed 1)"], "\n".join(chaos["cups"])


class TestArchives:
    """While they are watched; `python -m tests.chaos.archives` is a longer run."""

    def test_are_as_the_leases_say_in_the_end(self, chaos: Chaos) -> None:
        right = f"{WATCHED} of {WATCHED} leases are right about the archives (seed 1)"

        assert chaos["archives"][-1:] == [right], "\n".join(chaos["archives"])


class TestDocuments:
    """While web, workers and storage are killed; `python -m tests.chaos.documents` is a longer run."""

    def test_are_what_was_answered_and_nothing_else_is_left(self, chaos: Chaos) -> None:
        right = f"documents: 0 wrong after {DOCUMENT_BLOWS} blows at each of web, worker, storage (seed 1)"

        assert chaos["documents"][-1:] == [right], "\n".join(chaos["documents"])


class TestHosts:
    """With addresses of their own, clocks a minute apart, cut off and healed; `python -m tests.chaos --profile hosts` plays other seeds."""

    def test_lose_repeat_and_mix_up_nothing(self, chaos: Chaos) -> None:
        said = chaos["hosts"]
        if said[-1].startswith(LEFT_OUT):
            pytest.skip(said[-1])

        right = f"{HOSTS.leases} of {HOSTS.leases} leases are right (seed {HOSTS_SEED})"
        assert said[-1:] == [right], "\n".join(said)


class TestUpgrade:
    """From the release before this one, both side by side; `python -m tests.chaos --profile long-upgrade` is a longer run."""

    def test_loses_repeats_and_mixes_up_nothing(self, upgrade: Sequence[str]) -> None:
        if upgrade[-1].startswith(LEFT_OUT):
            pytest.skip(upgrade[-1])

        right = f"{UPGRADE.leases} of {UPGRADE.leases} leases are right (seed 1)"
        assert upgrade[-1] == right, "\n".join(upgrade)


class TestDrill:
    """Backed up under load, destroyed and restored; `make drill` is a longer one, and tells the times."""

    def test_loses_nothing(self, chaos: Chaos) -> None:
        assert chaos["drill"][-1:] == ["drill: nothing lost"], "\n".join(chaos["drill"])
