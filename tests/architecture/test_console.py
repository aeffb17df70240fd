"""docs/console.md tells what the console can do; none of it is only said."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_security import defined

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "console.md"
TEXT = PAGE.read_text()
TABLES = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| no. |", "| complaint", "| hazard"))
]
FEATURES = [line for line in TABLES if re.match(r"\| \d+ \|", line)]
TESTS = sorted(set(re.findall(r"`(tests/[^`]+::[^`]+)`", TEXT)))
FILES = sorted(set(re.findall(r"`((?:console|core|discovery|docs|leases|statemachine|tests)/[\w/.]+\.\w+)`", TEXT)))
LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT)))


class TestConsole:
    def test_has_all_its_features(self) -> None:
        assert [int(line.split("|")[1]) for line in FEATURES] == list(range(1, 26))

    @pytest.mark.parametrize("row", TABLES, ids=lambda row: row.split("|")[1].strip())
    def test_shows_what_each_row_says(self, row: str) -> None:
        assert re.search(r"`tests/[^`]+::[^`]+`", row) or re.search(r"!\[[^]]*\]\(images/", row)

    @pytest.mark.parametrize("test", TESTS)
    def test_is_shown_by_tests_that_exist(self, test: str) -> None:
        path, _, name = test.partition("::")

        assert (ROOT / path).is_file(), path
        assert name in defined(ROOT / path), f"{path} has no {name}"

    @pytest.mark.parametrize("file", FILES)
    def test_is_made_of_files_that_exist(self, file: str) -> None:
        assert (ROOT / file).is_file()

    @pytest.mark.parametrize("link", LINKS)
    def test_leads_to_pages_that_exist(self, link: str) -> None:
        assert (PAGE.parent / link).exists()


class TestHouse:
    """import-linter sees imports; an address, a template, a right or a style of a floor above is only a word."""

    ABOVE = re.compile(r"(?i:(?<![a-z])lease|discovery|dropbox)|[\"']system[\"']")

    @pytest.mark.parametrize("kind", ["*.py", "*.html", "*.js"])
    def test_names_nothing_of_the_floors_above(self, kind: str) -> None:
        named = [
            f"{path.relative_to(ROOT)}: {line.strip()}"
            for path in sorted((ROOT / "console").rglob(kind))
            for line in path.read_text().splitlines()
            if self.ABOVE.search(line)
        ]

        assert named == []
