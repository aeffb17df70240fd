"""The end of a planning: what was renamed, and whether anything may be concluded."""

from django.db import transaction

from storage.index import braking, renames
from storage.index.planning import Keep
from storage.models import IndexRun


def conclude(run: IndexRun, *, keep: Keep) -> str:
    """Finish a plan; why it is refused, in words, or nothing."""
    with transaction.atomic():
        counts = renames.find(run)
        keep(counts=counts)
    run.counts = counts
    return braking.refusal(run)
