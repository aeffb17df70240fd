"""Where requests to Dropbox go is said by a setting, and by nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.floors import HOUSE

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = [path for app in HOUSE for path in (ROOT / app).rglob("*.py")]


def assigned(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            yield node.target
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            yield ast.Attribute(value=node.args[0], attr="")


def is_settings(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "settings"


class TestSettings:
    def test_are_changed_by_nobody_at_run_time(self) -> None:
        changed = [
            f"{path.relative_to(ROOT)}:{target.lineno}"
            for path in PRODUCT
            if "settings" in (code := path.read_text())
            for target in assigned(ast.parse(code))
            if is_settings(target)
        ]

        assert changed == []


class TestDropboxBaseUrl:
    def test_is_no_argument_and_no_field_of_anything_that_reads_requests(self) -> None:
        readers = {
            path.relative_to(ROOT).as_posix() for path in PRODUCT if "DROPBOX_BASE_URL" in path.read_text().upper()
        }

        pages = {each for each in readers if "admin" in each or "views" in each or "forms" in each or "models" in each}
        assert pages == set()
        assert "cloud/dropbox/connection.py" in readers
