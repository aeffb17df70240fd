"""docs/storage.md tells what can happen to a run of the index; for each case there is the test that it names."""

import re

import pytest

from tests.architecture.test_security import ROOT, defined

_, _, CASES = (ROOT / "docs/storage.md").read_text().partition("\n## Every case\n")
# number, case, test
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| `(\S+?)::(\S+)` \|$", CASES, re.MULTILINE)


def test_cases_are_sixty_five_or_more() -> None:
    assert len(ROWS) >= 65


def test_cases_are_numbered_in_order_and_none_is_left_out() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) == len(re.findall(r"^\| \d", CASES, re.MULTILINE))


@pytest.mark.parametrize(("number", "case", "path", "name"), ROWS, ids=[number for number, *_ in ROWS])
def test_case_has_its_test(number: str, case: str, path: str, name: str) -> None:
    assert case
    assert (ROOT / path).is_file(), path
    assert name in defined(ROOT / path), f"{path} has no {name}"
