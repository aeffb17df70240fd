"""What old runs have planned is deleted, piece by piece; the last ones of each root stay, and what can still be undone."""

import logging
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from storage.models import ACTIVE, IndexChange, IndexRun, ListedEntry, Mode, StorageRoot, StoredFile

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
# The next time goes on with the rest.
FORGETS_FOR_S = 30
PLANNED: tuple[type[models.Model], ...] = (IndexChange, ListedEntry)
PIECE = "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE run_id = %s LIMIT %s))"
FILES = "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE root_id = %s LIMIT %s))"
RUNS = "DELETE FROM {table} WHERE id = ANY(%s)"
CHANGED = Q(applied_up_to__gt=0)
WHOLE = Q(prefix="", dry_run=False, incremental=False, mode__in=[Mode.SYNC, Mode.FULL])


def forget() -> int:
    """Delete what old runs have planned, and the runs that no row of the index names; how many were forgotten now.

    A run that has changed rows stays as long as a row says that it was changed by it; but it can be undone no more. That is
    said before the first of its changes goes, so that nobody undoes it by half of them.
    """
    if not settings.STORAGE_RUNS_KEPT_DAYS:
        return 0
    until = monotonic() + FORGETS_FOR_S
    count = old_runs().filter(forgotten_at=None).update(forgotten_at=Now())
    planned = Exists(IndexChange.objects.filter(run=OuterRef("pk"))) | Exists(
        ListedEntry.objects.filter(run=OuterRef("pk"))
    )
    forgotten = IndexRun.objects.filter(forgotten_at__isnull=False)
    for pk in list(forgotten.filter(planned).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        if not _delete_planned(pk, is_time_up=lambda: monotonic() > until):
            break
    named = Exists(StoredFile.objects.filter(changed_by=OuterRef("pk")))
    bare = old_runs().filter(~named, ~planned, forgotten_at__isnull=False)
    gone = list(bare.values_list("pk", flat=True)[:AT_ONCE])
    # Nothing else hangs on them, and Django would look through all files for each.
    _delete(RUNS, IndexRun, [gone])
    if count or gone:
        logger.info("forgetting: %s old runs were forgotten, and %s are gone", count, len(gone))
    return count


def forget_root(root: StorageRoot, *, is_time_up: Callable[[], bool]) -> bool:
    """Delete a root that nobody declares any more, with its rows and runs, piece by piece; whether there was time for all of it.

    No run of it may be under way.
    """
    for pk in list(IndexRun.objects.filter(root=root).order_by("pk").values_list("pk", flat=True)):
        if not _delete_planned(pk, is_time_up=is_time_up):
            return False
    while _delete(FILES, StoredFile, [root.pk, AT_ONCE]) == AT_ONCE:
        if is_time_up():
            return False
    _delete(RUNS, IndexRun, [list(IndexRun.objects.filter(root=root).values_list("pk", flat=True))])
    root.delete()
    logger.info("forgetting: the root “%s” is gone, with all its rows", root)
    return True


def old_runs() -> QuerySet[IndexRun]:
    """Those that are over for so long that they may be forgotten.

    Not the last of a root, nor the last of each kind that tells how the root stands or when the next one is due, nor what
    has changed rows last and so can still be undone.
    """
    lasts: Any = IndexRun.objects.order_by().values("root").annotate(
        last=Max("pk"),
        compared=Max("pk", filter=Q(plan_is_whole=True)),
        whole=Max("pk", filter=WHOLE),
        changed=Max("pk", filter=CHANGED),
    )  # fmt: skip
    kept = {each[name] for each in lasts for name in ("last", "compared", "whole", "changed")} - {None}
    too_old = Now() - timedelta(days=settings.STORAGE_RUNS_KEPT_DAYS)
    over = IndexRun.objects.exclude(state__in=sorted(ACTIVE)).exclude(pk__in=kept)
    return over.filter(entered_at__lt=too_old).order_by("pk")


def _delete_planned(pk: int, *, is_time_up: Callable[[], bool]) -> bool:
    """Delete what a run has planned; whether there was time for all of it."""
    for model in PLANNED:
        while _delete(PIECE, model, [pk, AT_ONCE]) == AT_ONCE:
            if is_time_up():
                return False
    return not is_time_up()


def _delete(statement: str, model: type[models.Model], given: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=connection.ops.quote_name(model._meta.db_table)), given)
        return int(cursor.rowcount)
