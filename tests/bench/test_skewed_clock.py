"""That a host's clock is wrong for all that reads it, and that nothing else is."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from bench.breakable import SKEWED_CLOCK
from core.local.servers import ROOT

TELL = """
import datetime as module, json, time
from datetime import UTC, datetime
from django.utils import timezone
from rq.utils import now
seen = [time.time(), time.time_ns() / 1e9, datetime.now(UTC).timestamp(), timezone.now().timestamp(), now().timestamp()]
true = time.clock_gettime(time.CLOCK_REALTIME)
made_in_c = module.datetime.fromtimestamp(0, UTC) - module.timedelta(0)
like_any_other = [isinstance(each, module.datetime) for each in (timezone.now(), made_in_c)] + [made_in_c < timezone.now()]
print(json.dumps([[each - true for each in seen], like_any_other]))
"""


@cache
def told(skew_s: str) -> tuple[list[float], list[bool]]:
    """How far the clocks are from the true one, and whether an instant is one, wherever it was made."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(SKEWED_CLOCK),
        "CLOCK_SKEW_S": skew_s,
        "DJANGO_SETTINGS_MODULE": "core.settings.test",
    }
    command = [sys.executable, "-c", TELL]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    clocks, like_any_other = json.loads(done.stdout)
    return clocks, like_any_other


@pytest.mark.process
@pytest.mark.xdist_group("skewed-clock")
class TestSkewedClock:
    @pytest.mark.parametrize("skew_s", ["-4.0", "0", "3600"])
    def test_is_wrong_wherever_python_reads_it(self, skew_s: str) -> None:
        # The true time is read last, on a busy machine a moment later.
        assert told(skew_s)[0] == [pytest.approx(float(skew_s), abs=1.9)] * 5

    def test_makes_instants_like_any_other(self) -> None:
        assert told("3600")[1] == [True, True, True]
