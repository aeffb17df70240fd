"""Moments within a run at which something else happens: before it is written what came of it."""

from collections.abc import Callable
from typing import Any

import pytest

from core.base.errors import RunsheetError, Temporary
from statemachine import sets
from statemachine.reactions import Run, reaction_for


def before_commit(monkeypatch: pytest.MonkeyPatch, act: Callable[[Run[Any], Any], object]) -> None:
    """Do something before what came of a run is written, outside of its transaction. It is told what came of it."""
    commit = sets._commit

    def late(runs: list[Run[Any]], endings: Any, found: Any) -> Any:
        for run, said in zip(runs, endings.each, strict=True):
            act(run, said)
        return commit(runs, endings, found)

    monkeypatch.setattr(sets, "_commit", late)


def before_giving_up(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """The same for runs that are about to fail."""

    def late(run: Run[Any], said: Any) -> None:
        budget = reaction_for(type(run.record), run.record.state).tries
        is_tried_again = isinstance(said, Temporary) and run.record.tries < budget
        if isinstance(said, RunsheetError) and not is_tried_again:
            act()

    before_commit(monkeypatch, late)
