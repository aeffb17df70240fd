"""Rules about the files as they lie in the repository."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.architecture.floors import HOUSE

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = ["requirements.txt", "requirements-objects.txt"]
LOCKS = [*PRODUCTION, "requirements-dev.txt"]
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).exists()]


def functions_in(code: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """What stands in statements only: to look into each expression as well takes seconds."""
    if isinstance(code, ast.FunctionDef | ast.AsyncFunctionDef):
        yield code
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(code, part, ()):
            yield from functions_in(statement)


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_name_no_host(self, name: str) -> None:
        assert "://" not in (ROOT / name).read_text()

    @pytest.mark.parametrize("name", LOCKS)
    def test_pin_every_package_with_hashes(self, name: str) -> None:
        blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())

        assert [block for block in blocks if not re.match(r"[\w.\[\]-]+==\S+.*--hash=sha256:", block, re.DOTALL)] == []

    @pytest.mark.parametrize("name", PRODUCTION)
    def test_production_has_the_versions_that_the_tests_ran_with(self, name: str) -> None:
        production, development = ((ROOT / each).read_text().splitlines() for each in (name, "requirements-dev.txt"))

        assert [line for line in production if "==" in line and line not in development] == []

    def test_of_what_npm_installs_names_no_address_and_pins_every_package(self) -> None:
        packages = json.loads((ROOT / "tests/storage/azurite/package-lock.json").read_text())["packages"]
        installed = {name: package for name, package in packages.items() if name}

        assert len(installed) > 100
        assert [name for name, package in installed.items() if "resolved" in package] == []
        assert [
            name for name, package in installed.items() if not package.get("integrity", "").startswith("sha512-")
        ] == []

    def test_django_is_the_release_that_was_decided_on(self) -> None:
        assert version("django").startswith("6.1.")


class TestSources:
    def test_reach_for_no_host_but_loopback_and_dropbox(self) -> None:
        allowed = re.compile(
            r"://(127\.0\.0\.1|localhost|\[::1\]|[\w.-]*\.?(dropbox\.com|dropboxapi\.com|example(\.com|\.org)?|w3\.org)\b|[{$%(\"'`…])"
        )
        product = tracked(*(f"{package}/*.py" for package in HOUSE))

        named = [
            f"{path.relative_to(ROOT)}: {line.strip()}"
            for path in product
            for line in path.read_text().splitlines()
            if re.search(r"https?://", line)
            and not all(allowed.match(line, m.start()) for m in re.finditer("://", line))
        ]

        assert named == []

    def test_stay_short_enough_to_read(self) -> None:
        # Each app has one migration, which a command writes.
        written = [path for path in tracked("*.py") if path.parent.name != "migrations"]
        long = [path for path in written if len(path.read_text().splitlines()) > LONGEST_FILE]

        assert long == []

    def test_have_functions_that_are_short_enough_to_read(self) -> None:
        lengths = [
            (f"{path.relative_to(ROOT)}: {node.name}", (node.end_lineno or 0) - node.lineno + 1)
            for path in tracked("*.py")
            for node in functions_in(ast.parse(path.read_text()))
        ]

        assert lengths
        assert [name for name, lines in lengths if lines > LONGEST_FUNCTION] == []
