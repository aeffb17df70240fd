"""SECURITY.md tells of attacks that the tests try; none of it is only said."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
# number, who, what, answer, test
ROWS = [re.split(r"(?<!\\)\|", line)[1:-1] for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]


def defined(path: Path) -> set[str]:
    """The tests of a file, as pytest names them."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        outer = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{outer}{each.name}" for each in inner if isinstance(each, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


class TestAttacks:
    def test_are_forty_or_more(self) -> None:
        assert len(ROWS) >= 40

    def test_are_numbered_in_order(self) -> None:
        assert [int(row[0]) for row in ROWS] == list(range(1, len(ROWS) + 1))

    def test_are_each_another(self) -> None:
        tried = [(row[1].strip(), row[2].strip()) for row in ROWS]

        assert len(set(tried)) == len(tried)

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
    def test_are_tried_by_a_test_that_exists(self, row: list[str]) -> None:
        _, who, tries, answer, test = (cell.strip() for cell in row)
        path, _, name = test.strip("`").partition("::")

        assert who
        assert tries
        assert answer
        assert (ROOT / path).is_file(), path
        assert name in defined(ROOT / path), f"{path} has no {name}"
