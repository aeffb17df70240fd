"""A little of everything, always the same: `make chaos` is the long one."""

import subprocess
from collections.abc import Callable

import pytest

Chaos = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.process]


class TestShortRun:
    def test_loses_repeats_and_mixes_up_nothing(self, chaos: Chaos) -> None:
        done = chaos("--profile", "short", "--seed", "3")

        assert done.stdout.splitlines()[-1:] == ["40 of 40 leases are right (seed 3)"], done.stdout + done.stderr
        assert done.returncode == 0


class TestWithoutTheFence:
    def test_the_oracle_goes_red(self, chaos: Chaos) -> None:
        done = chaos("--profile", "edits", "--seed", "1", "--unfenced")

        assert "WRONG  no result of one number on another" in done.stdout, done.stdout + done.stderr
        assert done.returncode == 1
