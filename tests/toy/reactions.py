"""What a kettle owes; each test says in `work` what happens while it is done."""

from collections.abc import Callable
from typing import Any

from statemachine.reactions import Backoff, Ending, Run, reaction
from tests.toy.models import Kettle, State

TRIES = 3
type Work = dict[str, Callable[[Run[Kettle]], Ending]]
work: Work = {}


def retry_rules() -> Backoff:
    return Backoff(tries=TRIES, base_s=2, cap_s=10)


@reaction(Kettle, State.HEATING, retry=retry_rules, queue="toy")
def heat(run: Run[Any]) -> Ending:
    return work["heat"](run)


@reaction(Kettle, State.STEEPING, retry=retry_rules, queue="toy")
def steep(run: Run[Any]) -> Ending:
    return work["steep"](run)
