"""The measurement of how soon a change is on the screen, as small as it goes."""

import json
import shutil
import subprocess
import sys

import pytest

from bench.screen import BROWSERS, Seen, shown
from core.local.servers import ROOT


def seen(**values: float) -> Seen:
    return Seen(**{"page": "list", "changes": 3, "median_s": 0.5, "p95_s": 0.9, "max_s": 1.1, **values})  # type: ignore[arg-type]  # the test's


class TestBench:
    @pytest.mark.browser
    @pytest.mark.xdist_group("bench")  # its folder is one for all measurements
    @pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)), reason="there is no Chromium here (Debian: apt-get install chromium)"
    )
    def test_sees_a_change_on_each_page(self) -> None:
        command = [sys.executable, "-m", "bench.screen", "--leases", "1", "--json"]

        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

        pages = {page["page"]: page for page in json.loads(done.stdout)["pages"]}
        assert pages.keys() == {"lease page", "list"}
        assert all(page["changes"] >= 1 and page["median_s"] > 0 for page in pages.values())


class TestShown:
    def test_tells_what_is_too_late(self) -> None:
        text = shown([seen(), seen(max_s=2.1)], load_before=0.5)

        assert "list                3      0.50   0.90   1.10\n" in text
        assert text.count("too late") == 1
