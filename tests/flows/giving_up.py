"""What happens at the moment at which a worker gives a lease up, before that is written."""

from collections.abc import Callable
from typing import Any

import pytest

from core.base.errors import RunsheetError, Temporary
from statemachine import sets
from statemachine.reactions import Endings, Reaction


def before_giving_up(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen each time when the outcome is known, and is that a lease fails."""
    commit = sets._commit

    def too_late(runs: Any, endings: Endings, found: Reaction) -> Any:
        said = endings.each[0]
        is_tried_again = isinstance(said, Temporary) and runs[0].record.tries < found.tries
        if isinstance(said, RunsheetError) and not is_tried_again:
            happens()
        return commit(runs, endings, found)

    monkeypatch.setattr(sets, "_commit", too_late)
