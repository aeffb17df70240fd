"""What a kettle owes; each test says in `work` what happens while it is done."""

import time
from collections.abc import Callable
from typing import Any

from core.base.errors import Permanent
from statemachine.reactions import Backoff, Ending, Endings, GoOn, Limits, Outcome, Run, Together, reaction
from tests.toy.models import Cup, CupState, Kettle, Sip, State

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


# So long a slice or a set takes, so that a blow meets one in the middle.
WORK_S = 0.05


class Leaky(Permanent):
    """The cup leaks."""

    code = "leaky"


def cup_rules() -> Backoff:
    return Backoff(tries=5, base_s=0.2, cap_s=1)


@reaction(
    Cup,
    CupState.FILLING,
    retry=cup_rules,
    queue="toy",
    limits=Limits(soft_s=20, hard_s=30),
    together=Together(at_most=8, key=("pot",)),
)
def fill(runs: list[Run[Any]]) -> Endings:
    time.sleep(WORK_S)
    filled = Outcome(transition="filled")
    return Endings(each=[Leaky() if run.record.bad else filled for run in runs])


@reaction(Cup, CupState.SIPPING, retry=cup_rules, queue="toy", limits=Limits(soft_s=20, hard_s=30))
def sip(run: Run[Any]) -> Ending:
    time.sleep(WORK_S)
    if run.record.sipped < run.record.sips:
        return GoOn(record=_one_sip)
    return Outcome(transition="drunk")


def _one_sip(cup: Any) -> None:
    cup.sipped += 1
    Sip.objects.create(cup=cup.pk, number=cup.sipped)
