"""A look whether anything has changed, which writes nothing down: what a run would be for, if there were one."""

from collections.abc import Callable

from storage.index import incremental
from storage.index.listers import DirectoryLister
from storage.index.merging import Comparison
from storage.index.presence import require
from storage.models import Action, IndexRun, Mode, StorageRoot


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


def _differs(comparison: Comparison) -> bool:
    return any(change.action != Action.ANOMALY for change in comparison.changes)
