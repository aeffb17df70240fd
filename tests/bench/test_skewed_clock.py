"""That a host's clock is wrong for all that reads it, and that nothing else is."""

import json
import os
import subprocess
import sys

import pytest

from bench.breakable import SKEWED_CLOCK
from core.local.servers import ROOT

TELL = """
import json, os, time
from datetime import UTC, datetime
from django.utils import timezone
from rq.utils import now
seen = [time.time(), time.time_ns() / 1e9, datetime.now(UTC).timestamp(), timezone.now().timestamp(), now().timestamp()]
true = time.clock_gettime(time.CLOCK_REALTIME)
print(json.dumps([each - true for each in seen]))
"""
COMPARE = """
import datetime
from django.utils import timezone
made_in_c = datetime.datetime.fromtimestamp(0, datetime.UTC) - datetime.timedelta(0)
print(isinstance(timezone.now(), datetime.datetime), isinstance(made_in_c, datetime.datetime), made_in_c < timezone.now())
"""


def python(code: str, *, skew_s: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(SKEWED_CLOCK),
        "CLOCK_SKEW_S": skew_s,
        "DJANGO_SETTINGS_MODULE": "core.settings.test",
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.process
class TestSkewedClock:
    @pytest.mark.parametrize("skew_s", ["-4.0", "0", "3600"])
    def test_is_wrong_wherever_python_reads_it(self, skew_s: str) -> None:
        # The true time is read last, on a busy machine a moment later.
        assert json.loads(python(TELL, skew_s=skew_s)) == [pytest.approx(float(skew_s), abs=1.9)] * 5

    def test_makes_instants_like_any_other(self) -> None:
        assert python(COMPARE, skew_s="5") == "True True True"
