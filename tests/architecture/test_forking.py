"""What `tests.forking` runs does not stand in the way of what comes after."""

import os
import signal
from pathlib import Path

import pytest

from core.local.programs import Program
from tests.forking import Forks

WAITS = "import signal; signal.pause()"


class TestAProgramThatDoesNotEnd:
    def test_is_killed_and_the_next_one_runs(self, prepared: Forks) -> None:
        with pytest.raises(TimeoutError, match="and was killed"):
            prepared.run("python", "-c", WAITS, environment=os.environ, timeout_s=0.1)

        after = prepared.run("python", "-c", "print('here')", environment=os.environ)

        assert (after.returncode, after.stdout) == (0, "here\n")


class TestAProgramThatHasEnded:
    def test_says_how(self, prepared: Forks) -> None:
        assert prepared.run("python", "-c", "raise SystemExit(3)", environment=os.environ).returncode == 3

    def test_by_a_signal_says_which(self, prepared: Forks) -> None:
        ends = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

        assert prepared.run("python", "-c", ends, environment=os.environ).returncode == -signal.SIGKILL


class TestRunning:
    def test_kills_at_once_what_has_hardly_started(self, prepared: Forks, tmp_path: Path) -> None:
        with prepared.running(Program(name="waits", command=("python", "-c", WAITS)), logs=tmp_path):
            pass

        assert prepared.run("python", "-c", "print('here')", environment=os.environ).stdout == "here\n"
