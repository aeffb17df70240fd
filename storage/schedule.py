"""Runs that begin by themselves: by the time, when something has changed, and when the system starts.

What is due is found out in the database each time, so it makes no difference how often somebody looks, or that nobody did.
Nothing here deletes a row: a run of the schedule is a `sync`, which marks what is not there any more as missing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now

from core.base.clock import now
from core.base.errors import RunsheetError, Temporary
from storage.errors import RootBusy, RootNotThere
from storage.models import ACTIVE, IndexRun, Mode, Occasion, RunState, StorageRoot
from storage.services import IndexSyncService

logger = logging.getLogger(__name__)

# Whether a day or a week is over is looked at so often, where nothing else asks for more.
ASKED_EVERY_S = 300
# A worker has other things to do, too.
LOOKS_FOR_S = 30
# Somebody has to see to these first, or wanted them so: what changes does not begin another run of the root.
LEFT_ALONE = frozenset({RunState.REFUSED, RunState.FAILED, RunState.ABORTED, RunState.UNDOING, RunState.UNDONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A run that is to begin.

    Attributes:
        reason: why, for its history.
    """

    mode: str = Mode.SYNC
    incremental: bool = False
    occasion: str
    reason: str


WHOLE = Due(occasion=Occasion.SCHEDULE, reason="it is time to compare all that lies there")
INCREMENTAL = Due(incremental=True, occasion=Occasion.SCHEDULE, reason="it is time to look for what has changed")
CHANGED = Due(incremental=True, occasion=Occasion.SEEN, reason="something has changed there")
BACK = Due(incremental=True, occasion=Occasion.SEEN, reason="the root is there again")
GONE = Due(incremental=True, occasion=Occasion.SEEN, reason="the root is not there")
FIRST = Due(occasion=Occasion.START, reason="the system has started, and this root was never looked through")
AUDIT = Due(mode=Mode.AUDIT, occasion=Occasion.START, reason="the system has started")


def asked_every_s() -> float:
    """How often to see whether anything is due; 0: the settings let nothing begin by itself."""
    by_time = ASKED_EVERY_S if settings.STORAGE_INCREMENTAL_EVERY_HOURS or settings.STORAGE_WHOLE_EVERY_DAYS else 0
    look_every_s: float = settings.STORAGE_LOOK_EVERY_S
    return min(look_every_s, by_time) if look_every_s and by_time else look_every_s or by_time


def look_after_all() -> None:
    """Begin for each root what is due."""
    _for_each_root(_look_after)


def start_all() -> None:
    """Compare each root with its rows, since the system has started; one that was never looked through is indexed."""
    _for_each_root(lambda root: _begin_alone(root, lambda: AUDIT if _syncs(root).exists() else FIRST))


def due(root: StorageRoot) -> Due | None:
    """What is to begin by the time; None if nothing is. An attempt counts, however it ended."""
    runs = _syncs(root)
    if _is_over(runs.filter(incremental=False), timedelta(days=settings.STORAGE_WHOLE_EVERY_DAYS)):
        return WHOLE
    if _is_over(runs, timedelta(hours=settings.STORAGE_INCREMENTAL_EVERY_HOURS)):
        return INCREMENTAL
    return None


def next_at(root: StorageRoot) -> datetime | None:
    """When the next run is due by the time, if nothing begins one before; None: the settings let none begin so."""
    periods = (
        (_syncs(root).filter(incremental=False), timedelta(days=settings.STORAGE_WHOLE_EVERY_DAYS)),
        (_syncs(root), timedelta(hours=settings.STORAGE_INCREMENTAL_EVERY_HOURS)),
    )
    return min((_over_at(runs, period) for runs, period in periods if period), default=None)


def seen(root: StorageRoot) -> Due | None:
    """What is to begin because of what a short look at a disk tells; None if nothing is.

    After a run that was refused because the root was away, it is seen when that is back. After one that ended badly in another
    way, was stopped or was undone, nothing begins before its time.
    """
    from storage.index import glancing  # noqa: PLC0415 - every worker knows the duties, and does without the index
    from storage.index.listers import lister_of, reads_directories  # noqa: PLC0415 - see above

    last = IndexRun.objects.filter(root=root).order_by("-pk").first()
    was_away = last is not None and last.state == RunState.REFUSED and not last.plan_is_whole
    lister = lister_of(root)
    if not root.marker or last is None or (last.state in LEFT_ALONE and not was_away):
        return None
    if not reads_directories(lister):  # it would have to list all of it
        return None
    until = monotonic() + LOOKS_FOR_S
    try:
        has_changed = glancing.has_changed(root, lister, is_time_up=lambda: monotonic() > until)
    except RootNotThere:
        return None if was_away else GONE
    except glancing.TookTooLong:
        logger.warning(
            "schedule: the root “%s” has too many directories to look at them within %s s, so what is new waits for the next "
            "run by the time. Set STORAGE_LOOK_EVERY_S to 0.",
            root,
            LOOKS_FOR_S,
        )
        return None
    if was_away:  # else it would count as away until something changes in it
        return BACK
    return CHANGED if has_changed else None


def _for_each_root(look: Callable[[StorageRoot], object]) -> None:
    """One that cannot be looked at does not keep another from it."""
    for name in sorted(settings.STORAGE_ROOTS):
        try:
            look(StorageRoot.named(name))
        except RootBusy as error:  # somebody has begun one in this moment
            logger.info("schedule: %s", error)
        except Temporary as error:
            logger.warning("schedule: the root “%s” waits for the next look. %s", name, error)
        except RunsheetError:
            logger.exception("schedule: the root “%s” cannot be looked after", name)


def _look_after(root: StorageRoot) -> None:
    if _begin_alone(root, lambda: due(root)) or not settings.STORAGE_LOOK_EVERY_S or _is_busy(root):
        return
    # Without a lock, since it may take a while.
    if found := seen(root):
        _begin(root, found)


def _begin_alone(root: StorageRoot, which: Callable[[], Due | None]) -> bool:
    """Begin what is due, unless the root is busy or somebody else is finding that out just now; whether anything was."""
    with transaction.atomic():
        if not StorageRoot.objects.select_for_update(skip_locked=True).filter(pk=root.pk).exists() or _is_busy(root):
            return False
        found = which()
        if found:
            _begin(root, found)
        return found is not None


def _begin(root: StorageRoot, found: Due) -> None:
    run = IndexSyncService().start(
        mode=found.mode,
        root=root.name,
        incremental=found.incremental,
        occasion=found.occasion,
        reason=found.reason,
    )
    logger.info("schedule: run %s of “%s” begins: %s", run.pk, root, found.reason)


def _is_busy(root: StorageRoot) -> bool:
    return IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE)).exists()


def _syncs(root: StorageRoot) -> QuerySet[IndexRun]:
    """Those that brought all of it up to date, or were to; the last first."""
    of_all = IndexRun.objects.filter(root=root, prefix="", dry_run=False, mode__in=[Mode.SYNC, Mode.FULL])
    return of_all.order_by("-pk")


def _over_at(runs: QuerySet[IndexRun], period: timedelta) -> datetime:
    """When the last of them is so long ago; now, if there is none."""
    last = runs.values_list("created_at", flat=True).first()
    return last + period if last else now()


def _is_over(runs: QuerySet[IndexRun], period: timedelta) -> bool:
    """Whether the last of them was so long ago. One that lies ahead, since the clock was set back, is none."""
    if not period:
        return False
    since = ExpressionWrapper(Now() - F("created_at"), output_field=DurationField())
    ago: timedelta | None = runs.values_list(since, flat=True).first()
    return ago is None or ago >= period or ago < timedelta()
