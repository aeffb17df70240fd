"""Processor time, as the system counts it."""

import os
import subprocess
import sys
import time

import pytest

from bench.processors import Stopwatch, spent

BUSY_S = 0.2
WORK = f"import time\nwhile time.process_time() < {BUSY_S}: pass"


@pytest.mark.process
class TestSpent:
    def test_counts_a_process_that_has_ended_meanwhile(self) -> None:
        with spent({"this": os.getpid()}) as taken:
            subprocess.run([sys.executable, "-c", WORK], check=True)

        assert taken.seconds["this"] >= BUSY_S * 0.9


class TestStopwatch:
    def test_counts_what_was_worked_and_not_what_was_waited(self) -> None:
        watch = Stopwatch()
        began = time.thread_time()

        with watch.running():
            time.sleep(0.05)
            while time.thread_time() < began + 0.05:
                pass
        for _ in range(1000):
            pass

        assert 0.04 <= watch.seconds <= time.thread_time() - began
