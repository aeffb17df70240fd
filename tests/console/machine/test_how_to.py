"""The page that tells how to add a kind of record quotes what the tests use."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/add-a-machine.md").read_text()
QUOTED = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
TOY = "\n".join(path.read_text() for path in sorted((ROOT / "tests/toy").glob("*.py")))


def test_quotes_something() -> None:
    assert QUOTED


@pytest.mark.parametrize("quoted", QUOTED)
def test_is_quoted_word_for_word(quoted: str) -> None:
    assert quoted in TOY


# Code, without what stands in it for a reader; `urls.py` only brings the tests' console up to date.
DECLARING = ("models.py", "reactions.py", "admin.py", "apps.py")
AT_MOST = 120


def test_declares_it_in_few_lines() -> None:
    counts = {name: len(code_lines((ROOT / "tests/toy" / name).read_text())) for name in DECLARING}

    assert sum(counts.values()) <= AT_MOST, counts


def code_lines(source: str) -> list[str]:
    """Neither blank, nor a comment, nor of a docstring."""
    documented = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    lines = enumerate(source.splitlines(), start=1)
    return [line for number, line in lines if number not in documented and not re.match(r"\s*(#|$)", line)]
