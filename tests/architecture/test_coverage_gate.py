"""That `make test` fails if a branch of the engine or of a service is run by no test."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from core.local.servers import ROOT

PROJECT = {
    "pyproject.toml": """
        [tool.coverage.run]
        core = "sysmon"
        source = ["letters"]
        """,
    "letters/__init__.py": "",
    "letters/numbers/__init__.py": "",
    "letters/numbers/services.py": """
        def size(text):
            if text == "forked":
                text = text * 2
                return len(text)
            if not text:
                return 0
            return len(text)
        """,
    "letters/unasked.py": """
        def unasked(text):
            if text:
                return 1
        """,
    "letters/services/never_imported.py": """
        def never_imported():
            return 1
        """,
    "test_letters.py": """
        import os

        from letters.numbers.services import size

        def test_size():
            assert size("ab") == 2

            child = os.fork()
            if child == 0:
                size("forked")
                os._exit(0)
            os.waitpid(child, 0)
        """,
}


@pytest.mark.process
class TestTheGate:
    def test_tells_what_no_process_of_the_run_has_run(self, tmp_path: Path) -> None:
        for name, content in PROJECT.items():
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text(dedent(content).lstrip())

        left_out = run(tmp_path)

        assert left_out.returncode == pytest.ExitCode.TESTS_FAILED
        assert "not every branch is run" in left_out.stdout
        assert found(left_out.stdout) == {
            "letters/numbers/services.py": "7 1 4 1 81.82% 6",
            "letters/services/never_imported.py": "2 2 0 0 0.00% 1-2",
        }


def found(said: str) -> dict[str, str]:
    """Each file that is named, with its figures."""
    lines = (line.split() for line in said.splitlines() if line.startswith("letters/"))
    return {name: " ".join(figures) for name, *figures in lines}


def run(project: Path) -> "subprocess.CompletedProcess[str]":
    plugins = ["-p", "tests.coverage_gate", "-p", "no:django", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", "1", "--cov", "--cov-report=", "--cov-fail-under=1"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
