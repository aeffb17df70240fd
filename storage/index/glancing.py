"""A look whether anything has changed, which leaves no run behind: what a run would be for, if there were one."""

from collections.abc import Callable

from django.db import transaction

from storage.index import cursors, incremental
from storage.index.entries import CursorReset
from storage.index.listers import CursorLister, DirectoryLister
from storage.index.merging import Comparison
from storage.index.presence import require
from storage.models import ACTIVE, Action, IndexRun, Mode, StorageRoot


class TookTooLong(Exception):
    """The look was broken off before it had seen everything."""


def has_changed(root: StorageRoot, lister: DirectoryLister, *, is_time_up: Callable[[], bool]) -> bool:
    """Whether an incremental run would change a row. What merely looks odd was told by the run that saw it first.

    Raises:
        RootNotThere: nothing is concluded.
        TookTooLong: nothing had changed until then.
    """
    require(root, lister)
    never_saved = IndexRun(root=root, mode=Mode.SYNC, incremental=True)
    comparison = Comparison(never_saved, lister=lister, owned=root.is_owned)
    for _ in incremental.compared(never_saved, lister=lister, comparison=comparison):
        if _differs(comparison):
            return True
        comparison.changes.clear()
        if is_time_up():
            raise TookTooLong
    return _differs(comparison)


def has_news(root: StorageRoot, lister: CursorLister) -> bool:
    """Whether an incremental run has anything to do: something is told behind the root's cursor, or more has to be read.

    Where nothing is told, the rows say what lies there now, and that is noted. It takes one question.

    Raises:
        RootNotThere: nothing is concluded.
    """
    if not root.cursor or root.read_at is None:
        return True
    asked_at = cursors.database_now()
    try:
        page = next(lister.pages(root.cursor), None)
    except CursorReset:
        return True
    if page is None or page.entries or page.has_more:
        return True
    with transaction.atomic():
        # Whoever begins a run that changes rows takes the same lock.
        still = StorageRoot.objects.select_for_update().filter(pk=root.pk, cursor=root.cursor, read_at__isnull=False)
        if still.exists() and not IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE)).exists():
            still.update(cursor=page.cursor, read_at=asked_at)
    return False


def _differs(comparison: Comparison) -> bool:
    return any(change.action != Action.ANOMALY for change in comparison.changes)
