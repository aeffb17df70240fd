"""What a house goes through, as a process of its own: one at a time whatever xdist does."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

import pytest

from core.local.servers import LOCAL, ROOT
from tests.chaos.__main__ import START_AND_STOP_S
from tests.chaos.plan import UPGRADE
from tests.chaos.together import LIMIT_S, PARTS, heading


@pytest.fixture(scope="session")
def _alone() -> Iterator[None]:
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "chaos-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def upgrade(_alone: None) -> Sequence[str]:
    """What a run says that begins with the release before this one."""
    given = ("-m", "tests.chaos", "--profile", "upgrade", "--seed", "1", "--directory", "chaos-test-upgrade")
    return _said(*given, timeout_s=UPGRADE.limit_s + START_AND_STOP_S + 10)


def _said(*given: str, timeout_s: float) -> Sequence[str]:
    # Its many programs would each write coverage data, which takes longer than the run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, *given]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="session")
def chaos(_alone: None) -> Mapping[str, list[str]]:
    """What `python -m tests.chaos.together` has said of each part, from one run for all tests."""
    said: dict[str, list[str]] = {}
    headings = {heading(part): said.setdefault(part, []) for part in PARTS}
    lines: list[str] = []
    for line in _said("-m", "tests.chaos.together", timeout_s=LIMIT_S + 10):
        lines = headings.get(line, lines)
        lines.append(line)
    return said
