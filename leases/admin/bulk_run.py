"""What it takes to run many leases again."""

from collections.abc import Iterator
from math import ceil

from django.conf import settings

from console.machine.running import ManyRun, Plan
from leases.making import ABSENT, make_archives, subfolders_in_words
from leases.models import SUBFOLDERS

# One listing, and one call for the link: made, or seen to lead there. Without a directory one more in most cases.
CALLS_PER_LEASE = 2
# Two listings, two looks at the folder above, the link; and each folder that is made.
CALLS_PER_ARCHIVE = 5 + 1 + max(map(len, SUBFOLDERS.values()))
MINUTE_S = 60


def calls_of(plan: Plan, *, each: int = CALLS_PER_LEASE) -> int:
    """How often Dropbox is asked for what is started."""
    return plan.starting * each


def minutes_of(plan: Plan, *, each: int = CALLS_PER_LEASE) -> int | None:
    """How long it takes at least, with what is ahead of it; None if nothing but Dropbox itself sets the pace."""
    ceiling = settings.DROPBOX_CALLS_PER_S
    calls = plan.starting * each + plan.ahead * CALLS_PER_LEASE
    return ceil(calls / ceiling / MINUTE_S) if ceiling else None


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Dropbox calls", f"about {calls_of(plan)}, by your Dropbox account"
    yield "Time", f"{_time(plan)}{_ahead(plan)}"


def _facts_of_making(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Dropbox calls", f"about {calls_of(plan, each=CALLS_PER_ARCHIVE)}, by your Dropbox account"
    yield "Time", f"{_time(plan, each=CALLS_PER_ARCHIVE)}{_ahead(plan)}"
    yield "Made are", f"the archive and in it, {'; '.join(_subfolders())}"
    yield "Not made", "where an archive of a near name lies beside it: look at that one and make it on its own page"


def _subfolders() -> Iterator[str]:
    for agency in SUBFOLDERS:
        yield f"for {agency}, {subfolders_in_words(agency)}"


def _time(plan: Plan, *, each: int = CALLS_PER_LEASE) -> str:
    minutes = minutes_of(plan, each=each)
    if minutes is None:
        return "as fast as Dropbox answers"
    length = f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"{length}, since one account is asked at most {settings.DROPBOX_CALLS_PER_S} times a second"


def _ahead(plan: Plan) -> str:
    if not plan.ahead:
        return ""
    many = "" if plan.ahead == 1 else "s"
    return f"; {plan.ahead} lease{many} that you started before {'are' if many else 'is'} in it"


MISSING_ARCHIVES = ManyRun(
    label="Make the missing archives",
    name="make_archives",
    permission="make",
    start=make_archives,
    among=ABSENT,
    does="Make the archives of",
    become="searched once more, and their archives made if they are still missing",
    left="have no missing archive or are under way",
    facts=_facts_of_making,
)
FULL_DISCOVERY = ManyRun(
    label="Run full discovery",
    become="searched for and read",
    facts=_facts,
)
