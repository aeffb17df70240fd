"""Runs of the chaos as processes of their own, one at a time whatever xdist does."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from core.local.servers import LOCAL, ROOT

# The run's own limits are tighter; it ends itself, and all of its servers with it.
LONGEST_S = 150


@pytest.fixture
def _alone() -> Iterator[None]:
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "chaos-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """A run's many programs would each write coverage data, which takes longer than the run."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


@pytest.fixture
def chaos(_alone: None, plain_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m tests.chaos` with these arguments."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.chaos", "--directory", "chaos-test", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=plain_environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )

    return run
