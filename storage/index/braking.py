"""The brake: so many missing at once is more likely a disk that is not there than somebody who tidied up."""

from storage.index.rows import end_of
from storage.models import FileState, IndexRun, StoredFile

MORE_THAN = 100
MORE_THAN_PERCENT = 10


def refusal(run: IndexRun) -> str:
    """Why nothing may be concluded from what was seen, in words; empty if it may."""
    missing = missing_in(run)
    if missing <= MORE_THAN or (run.allow_missing is not None and missing <= run.allow_missing):
        return ""
    known = in_scope(run)
    if missing * 100 <= known * MORE_THAN_PERCENT:
        return ""
    return (
        f"{missing:,} of {known:,} are missing, which is more than {MORE_THAN_PERCENT} % and more than {MORE_THAN}. "
        "Nothing was changed. See that all of it is mounted. "
        f"If they were taken away on purpose, let the run go on with “allow missing” at {missing}."
    )


def missing_in(run: IndexRun) -> int:
    """How many went, and are not known to lie elsewhere."""
    counts: dict[str, int] = run.counts
    return counts.get("newly_missing", 0) - counts.get("elsewhere", 0)


def in_scope(run: IndexRun) -> int:
    """How many rows say that something lies there."""
    rows = StoredFile.objects.filter(root=run.root_id, state=FileState.PRESENT)
    if run.prefix:
        rows = rows.filter(key__gte=run.prefix, key__lt=end_of(run.prefix))
    return rows.count()
