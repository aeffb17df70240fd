"""What docs/operations.md says to type, so that tests can type it."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.local.servers import ROOT

needs_redis_cli = pytest.mark.skipif(
    shutil.which("redis-cli") is None, reason="redis-cli is not on this machine: apt-get install redis-tools"
)


def commands(heading: str) -> list[str]:
    """Those below a heading, in turn."""
    _, _, below = (ROOT / "docs/operations.md").read_text().partition(f"\n### {heading}\n")
    return re.findall(r"(?m)^\$ ([^#].*)$", below.partition("\n### ")[0])


def typed(lines: list[str], *, instead: Mapping[str, str], cwd: Path) -> str:
    """What a shell answers to all of them.

    Args:
        instead: what stands here for what is an example there; each has to be there.
    """
    script = "\n".join(lines)
    for example, here in instead.items():
        assert example in script, example
        script = script.replace(example, here)
    done = subprocess.run(["sh", "-ec", script], cwd=cwd, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
