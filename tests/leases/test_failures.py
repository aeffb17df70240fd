"""What failures are called."""

from collections.abc import Iterator

import pytest

from core.errors import Permanent, RunsheetError, Temporary
from discovery import errors as of_discovery
from leases import errors as of_leases
from leases.failures import WORDS, in_words
from statemachine import errors as of_engine


def failures(module: object) -> Iterator[type[RunsheetError]]:
    """What a lease or a notice can fail with."""
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, Temporary | Permanent) and each not in (Temporary, Permanent):
            yield each


class TestWords:
    @pytest.mark.parametrize("failure", [*failures(of_discovery), *failures(of_leases), *failures(of_engine)])
    def test_are_there_for_every_failure(self, failure: type[RunsheetError]) -> None:
        assert failure.code in WORDS

    def test_hold_no_code(self) -> None:
        assert [words for words in WORDS.values() if "_" in words] == []

    def test_make_do_with_a_code_that_nobody_knows(self) -> None:
        assert in_words("of_yesterday") == "of yesterday"
