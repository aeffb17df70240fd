"""What it takes to run many leases again."""

from collections.abc import Iterator
from math import ceil

from django.conf import settings

from console.machine.running import ManyRun
from leases.admin.estimates import answered_without_calls
from leases.admin.not_made import beside
from leases.calls import CALLS_PER_LEASE, Calls
from leases.errors import OnlyReads
from leases.making import ABSENT, CALLS_PER_ARCHIVE, make_archives, only_reads, subfolders_in_words
from leases.models import SUBFOLDERS
from statemachine.batches import Plan

MINUTE_S = 60


def calls_of(plan: Plan) -> int:
    """How often Dropbox is asked for what is started; what is known of a folder of archives is not asked for again."""
    return _calls(plan).count


def minutes_of(plan: Plan) -> int | None:
    """How long it takes at least, with what is ahead of it; None if nothing but Dropbox itself sets the pace."""
    return _minutes(_calls(plan).count + plan.ahead * CALLS_PER_LEASE)


def _minutes(calls: int) -> int | None:
    ceiling = settings.DROPBOX_CALLS_PER_S
    return ceil(calls / ceiling / MINUTE_S) if ceiling else None


def _calls(plan: Plan) -> Calls:
    return Calls(starting=plan.starting, answered=answered_without_calls(plan.records, plan.user))


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Dropbox calls", str(_calls(plan))
    yield "Time", f"{_time(minutes_of(plan))}{_ahead(plan)}"


def _facts_of_making(plan: Plan) -> Iterator[tuple[str, str]]:
    if only_reads(plan.user):
        yield "None is made", str(OnlyReads())
    calls = plan.starting * CALLS_PER_ARCHIVE
    yield "Dropbox calls", f"about {calls}, by your Dropbox account"
    yield "Time", f"{_time(_minutes(calls + plan.ahead * CALLS_PER_LEASE))}{_ahead(plan)}"
    yield "Made are", f"the archive and in it, {'; '.join(_subfolders())}"
    yield (
        "Not made",
        f"where an archive of a near name that is no other lease's lies beside it{_known(plan)}: look at that one and make it on its own page",
    )


def _known(plan: Plan) -> str:
    """Of how many that is known before anybody asks Dropbox."""
    known = beside(plan.records)
    near = f"by what is known now, {'none of them' if not known.near else f'{known.near:,} of them'}"
    unseen = f"; of {known.unseen:,} nobody knows yet" if known.unseen else ""
    return f" ({near}{unseen})"


def _subfolders() -> Iterator[str]:
    for agency in SUBFOLDERS:
        yield f"for {agency}, {subfolders_in_words(agency)}"


def _time(minutes: int | None) -> str:
    if minutes is None:
        return "as fast as Dropbox answers"
    if not minutes:
        return "less than a minute"
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
