"""Sentinels choose another primary in the middle of a burst; `python -m tests.chaos.failover` is the same from the terminal."""

import os
import subprocess
import sys

import pytest

from core.local.servers import ROOT
from tests.chaos.failover import SEED
from tests.chaos.plan import BURST

LEASES = 100

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.process]


@pytest.mark.usefixtures("_alone")
def test_a_fail_over_loses_nothing_and_repeats_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}

    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.failover", "--leases", str(LEASES)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=BURST.limit_s + 100, check=False,
    )  # fmt: skip

    said = done.stdout.splitlines()
    assert said[-1:] == [f"{LEASES} of {LEASES} leases are right (seed {SEED})"], done.stdout + done.stderr
    assert done.returncode == 0, done.stdout
