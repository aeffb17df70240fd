"""The page that tells how to add a kind of record quotes what the tests use."""

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
