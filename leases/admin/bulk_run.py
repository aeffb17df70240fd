"""What it takes to run many leases again."""

from collections.abc import Iterator
from math import ceil

from django.conf import settings

from console.machine.running import ManyRun, Plan

# One listing, and one call for the link: made, or seen to lead there. Without a directory one more in most cases.
CALLS_PER_LEASE = 2
MINUTE_S = 60


def calls_of(plan: Plan) -> int:
    """How often Dropbox is asked for what is started."""
    return plan.starting * CALLS_PER_LEASE


def minutes_of(plan: Plan) -> int | None:
    """How long it takes at least, with what is ahead of it; None if nothing but Dropbox itself sets the pace."""
    ceiling = settings.DROPBOX_CALLS_PER_S
    calls = (plan.starting + plan.ahead) * CALLS_PER_LEASE
    return ceil(calls / ceiling / MINUTE_S) if ceiling else None


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Dropbox calls", f"about {calls_of(plan)}, by your Dropbox account"
    yield "Time", f"{_time(plan)}{_ahead(plan)}"


def _time(plan: Plan) -> str:
    minutes = minutes_of(plan)
    if minutes is None:
        return "as fast as Dropbox answers"
    length = f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"{length}, since one account is asked at most {settings.DROPBOX_CALLS_PER_S} times a second"


def _ahead(plan: Plan) -> str:
    if not plan.ahead:
        return ""
    many = "" if plan.ahead == 1 else "s"
    return f"; {plan.ahead} lease{many} that you started before {'are' if many else 'is'} in it"


FULL_DISCOVERY = ManyRun(
    label="Run full discovery",
    become="searched for and read",
    facts=_facts,
)
