"""A pytest plugin: beside the gate over everything, each branch of the engine and of the services is run by some test."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from coverage.exceptions import NoDataError

COMPLETE = ["statemachine/*", "*/services.py", "*/services/*"]

_report = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a complete run with coverage that leaves a branch out; pytest-cov has saved the data by now."""
    if exitstatus != pytest.ExitCode.OK or hasattr(session.config, "workerinput"):
        return
    if session.config.getoption("cov_fail_under", default=None) is None:
        return
    if missing := incomplete(Path.cwd(), COMPLETE):
        session.config.stash[_report] = missing
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what is left out, above pytest's own last line."""
    if _report in config.stash:
        terminalreporter.section("not every branch is run", red=True)
        terminalreporter.write(config.stash[_report])


def incomplete(root: Path, include: list[str]) -> str:
    """What coverage.py reports about files that are not covered completely; empty if there are none."""
    coverage = Coverage(data_file=root / ".coverage", config_file=root / "pyproject.toml")
    coverage.load()
    table = StringIO()
    try:
        total = coverage.report(include=include, show_missing=True, skip_covered=True, precision=2, file=table)
    except NoDataError as error:
        return f"{error}\n"
    return "" if total == 100 else table.getvalue()
