"""What a run of the index owes: the comparison, then the changes, or the way back; each in slices.

What does it is loaded by the first run: every worker of every queue knows what is owed, and does without the rest.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from statemachine.errors import ClaimLost
from statemachine.reactions import Backoff, Ending, GoOn, Limits, Outcome, Run, reaction
from storage.errors import RootNotThere
from storage.models import IndexRun, RunState

if TYPE_CHECKING:
    from storage.index.planning import Keep

BEGAN_ANEW = "it was not known any more what had been read, so all of it was read"
LIMITS = Limits(soft_s=60, hard_s=120)


def retry_rules() -> Backoff:
    return Backoff(tries=5, base_s=2, cap_s=120)


@reaction(IndexRun, RunState.PLANNING, retry=retry_rules, queue=settings.STORAGE_QUEUE, limits=LIMITS)
def look(run: Run[IndexRun]) -> Ending:
    """Compare the root with its rows."""
    from storage.index.braking import missing_in  # noqa: PLC0415 - see above
    from storage.index.concluding import conclude  # noqa: PLC0415 - see above
    from storage.index.following import follow  # noqa: PLC0415 - see above
    from storage.index.listers import lister_of  # noqa: PLC0415 - see above
    from storage.index.planning import Planning  # noqa: PLC0415 - see above

    record, keep = run.record, _keeper(run)
    try:
        whole = Planning(record, lister=lister_of(record.root), keep=keep).work(is_time_up=lambda: run.is_time_up)
    except RootNotThere as error:
        not_there = str(error)
        return Outcome(transition="refuse", record=lambda _: {"refusal": not_there}, reason=not_there)
    if not whole:
        return GoOn()
    if record.stops_at_plan and not follow(record, keep=keep, is_time_up=lambda: run.is_time_up, is_dry=True):
        return GoOn()
    if refusal := conclude(record, keep=keep):
        told = {"refusal": refusal, "missing_count": missing_in(record), "plan_is_whole": True}
        return Outcome(transition="refuse", record=lambda _: told, reason=refusal)
    return Outcome(
        transition="planned",
        reason=BEGAN_ANEW if record.place.get("anew") else "",
        then=None if record.stops_at_plan else "apply",
        then_reason="planned",
    )


@reaction(IndexRun, RunState.APPLYING, retry=retry_rules, queue=settings.STORAGE_QUEUE, limits=LIMITS)
def change(run: Run[IndexRun]) -> Ending:
    """Carry out the plan."""
    from storage.index import applying  # noqa: PLC0415 - see above
    from storage.index.following import follow  # noqa: PLC0415 - see above
    from storage.index.listers import lister_of  # noqa: PLC0415 - see above

    record, keep = run.record, _keeper(run)
    try:
        whole = applying.apply(record, lister=lister_of(record.root), keep=keep, is_time_up=lambda: run.is_time_up)
    except RootNotThere as error:
        told = {"code": error.code, "message": str(error)}
        return Outcome(transition="fail", record=lambda _: told, reason=str(error))
    whole = whole and follow(record, keep=keep, is_time_up=lambda: run.is_time_up)
    return Outcome(transition="applied", record=_told) if whole else GoOn()


def _told(run: IndexRun) -> dict[str, Any]:
    from storage.index.listers import tell_changed  # noqa: PLC0415 - see above

    tell_changed(run.root)
    return {}


@reaction(IndexRun, RunState.UNDOING, retry=retry_rules, queue=settings.STORAGE_QUEUE, limits=LIMITS)
def change_back(run: Run[IndexRun]) -> Ending:
    """Bring back the rows as they were."""
    from storage.index import applying  # noqa: PLC0415 - see above

    whole = applying.undo(run.record, keep=_keeper(run), is_time_up=lambda: run.is_time_up)
    return Outcome(transition="undone") if whole else GoOn()


def _keeper(run: Run[IndexRun]) -> "Keep":
    """Writes down what a batch has reached, in the batch's own transaction, unless the run was taken from us meanwhile."""
    mine = IndexRun.objects.filter(pk=run.record.pk, state=run.record.state, generation=run.record.generation)

    def keep(**reached: Any) -> None:
        run.keep_claim()
        if not mine.update(**reached):
            raise ClaimLost

    return keep
