"""Cups of one pot are filled together, and each is drunk in sips."""

import time
from typing import Any

from core.base.errors import Permanent
from statemachine.reactions import Backoff, Ending, Endings, GoOn, Limits, Outcome, Run, Together, reaction
from tests.cups.models import Cup, CupState, Sip

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
    queue="cups",
    limits=Limits(soft_s=20, hard_s=30),
    together=Together(at_most=8, key=("pot",)),
)
def fill(runs: list[Run[Any]]) -> Endings:
    time.sleep(WORK_S)
    filled = Outcome(transition="filled")
    return Endings(each=[Leaky() if run.record.bad else filled for run in runs])


@reaction(Cup, CupState.SIPPING, retry=cup_rules, queue="cups", limits=Limits(soft_s=20, hard_s=30))
def sip(run: Run[Any]) -> Ending:
    time.sleep(WORK_S)
    if run.record.sipped < run.record.sips:
        return GoOn(record=_one_sip)
    return Outcome(transition="drunk")


def _one_sip(cup: Any) -> None:
    cup.sipped += 1
    Sip._default_manager.create(cup=cup.pk, number=cup.sipped)
