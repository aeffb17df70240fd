"""The measurement itself, as small as it goes: what it says of calls is the call budget on real processes."""

import json
import subprocess
import sys

import pytest

from bench.discovery import _parser
from core.local.servers import ROOT


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.discovery", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


class TestBench:
    @pytest.mark.process
    def test_measures_leases_that_take_two_calls_each(self) -> None:
        done = bench("--leases", "3", "--latency-ms", "0", "--workers", "1", "--mode", "burst", "--json")

        figures = json.loads(done.stdout)
        assert figures["calls_per_lease"] == {"files/list_folder": 1, "sharing/create_shared_link_with_settings": 1}
        assert 0 < figures["median_s"] <= figures["p95_s"] <= figures["max_s"] <= figures["elapsed_s"]
        assert figures["peak_bytes"] > 0
        assert figures["processor_ms_per_lease"] == pytest.approx(sum(figures["processor_ms_by_part"].values()))
        assert set(figures["processor_ms_by_part"]) == {"creator", "workers", "reconciler", "PostgreSQL", "Valkey"}
        assert 0 < figures["frames_to_create"] < figures["statements_to_create"]
        assert 0 < figures["frames_to_work"] < figures["statements_to_work"]
        assert done.returncode == 0

    @pytest.mark.parametrize("leases", ["0", "-1", "many", "1.5"])
    def test_refuses_what_is_no_number_of_leases(self, leases: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            _parser().parse_args([f"--leases={leases}"])

        expected = f"bench.discovery: argument --leases: '{leases}' is not a whole number from 1 on\n"
        assert (ended.value.code, capsys.readouterr().err) == (2, expected)
