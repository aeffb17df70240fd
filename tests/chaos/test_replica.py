"""A replica is lost in the middle of a burst; `python -m tests.chaos.replica` is the same from the terminal."""

import os
import subprocess
import sys

import pytest

from core.local.servers import ROOT
from tests.chaos.replica import BURST, SEED

LEASES = 60

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.process, pytest.mark.long]


@pytest.mark.usefixtures("_alone")
def test_a_lost_replica_costs_nobody_a_list() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}

    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.replica", "--leases", str(LEASES)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=BURST.limit_s + 200, check=False,
    )  # fmt: skip

    said = done.stdout.splitlines()
    assert said[-1:] == [f"{LEASES} of {LEASES} leases are right (seed {SEED})"], done.stdout + done.stderr
    assert done.returncode == 0, done.stdout
    (counted,) = (line for line in said if line.startswith("Lists by why"))
    assert {"fresh", "own", "away"} <= set(counted.replace(",", " ").split()), counted
