"""Slices and sets under blows, a short run; `python -m tests.chaos.cups` is a longer one."""

import subprocess
import sys

import pytest

from core.local.servers import ROOT
from tests.chaos.conftest import LONGEST_S

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.process]


class TestCups:
    @pytest.mark.usefixtures("_alone")
    def test_lose_and_repeat_no_slice_and_no_row_of_a_set(self, plain_environment: dict[str, str]) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.chaos.cups",
            "--cups",
            "60",
            "--blows",
            "8",
            "--directory",
            "chaos-test",
        ]

        done = subprocess.run(
            command, cwd=ROOT, env=plain_environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )

        assert done.stdout.splitlines()[-1:] == ["60 of 60 cups are right (seed 1)"], done.stdout + done.stderr
