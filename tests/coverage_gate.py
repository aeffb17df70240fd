"""A pytest plugin: beside the gate over the lines of everything, each branch of the engine and of the services is run by some test."""

import os
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from coverage.exceptions import NoDataError

from tests.branches import Arc, Branches, read

COMPLETE = ("statemachine/*", "*/services.py", "*/services/*")
BESIDE = ("tests/*", ".*", "*/migrations/*")  # the tests mirror what they test
ROOT = Path.cwd()
CONFIG = ROOT / "pyproject.toml"
# Where all processes of a run note what they have run, see `tests.branches`.
NOTED = "BRANCHES_NOTED"

_report = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Measure from before Django is imported, in each process of a complete run with coverage."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ.pop(NOTED, None)
        if getattr(early_config.known_args_namespace, "cov_fail_under", None) is None:
            return
        handle, os.environ[NOTED] = tempfile.mkstemp(prefix="branches-")
        os.close(handle)
    if NOTED in os.environ:
        Branches(of=is_complete, into=Path(os.environ[NOTED])).start()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a complete run with coverage that leaves a branch out."""
    if NOTED not in os.environ or hasattr(session.config, "workerinput"):
        return
    noted = Path(os.environ[NOTED])
    arcs = {file: set[Arc]() for file in _files()} | read(noted)
    noted.unlink()
    if exitstatus == pytest.ExitCode.OK and (missing := incomplete(arcs)):
        session.config.stash[_report] = missing
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what is left out, above pytest's own last line."""
    if _report in config.stash:
        terminalreporter.section("not every branch is run", red=True)
        terminalreporter.write(config.stash[_report])


def incomplete(arcs: dict[str, set[Arc]]) -> str:
    """What coverage.py reports about files that are not covered completely; empty if there are none.

    Args:
        arcs: what was run of each file.
    """
    coverage = Coverage(data_file=None, config_file=CONFIG, branch=True)
    data = coverage.get_data()
    data.add_arcs(arcs)
    data.touch_files(arcs)  # those of which nothing was run, too
    table = StringIO()
    try:
        total = coverage.report(show_missing=True, skip_covered=True, precision=2, file=table)
    except NoDataError as error:
        return f"{error}\n"
    finally:
        data.close(force=True)
    return "" if total == 100 else table.getvalue()


@cache
def is_complete(file: str) -> bool:
    """Whether each branch of it has to be run."""
    name = file.removeprefix(f"{ROOT}/")
    return name != file and _matches(name, COMPLETE) and not _matches(name, BESIDE)


def _files() -> Iterator[str]:
    folders: Any = Coverage(config_file=CONFIG).get_option("run:source")
    for folder in folders:
        yield from filter(is_complete, map(str, (ROOT / folder).rglob("*.py")))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
