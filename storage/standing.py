"""How each root stands, from the figures of its last runs; a few questions, however many files there are."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from storage.index.figures import IndexSyncStats
from storage.models import ACTIVE, FileState, IndexRun, RunState, StorageRoot, StoredFile

STUCK = frozenset({RunState.REFUSED, RunState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a root of the settings.

    Attributes:
        root: its row; not saved if it was never looked at.
        stats: of the last run that compared all of it; None if there was none.
        missing: how many rows say that a file is missing.
        looked_ago: since when a run has last come to its end over all of it, if only by the times of directories.
        why_stuck: why the last run came to no end; empty if it did, or is under way.
    """

    root: StorageRoot
    stats: IndexSyncStats | None
    missing: int
    looked_ago: timedelta | None
    why_stuck: str


def standing() -> list[Standing]:
    """How the roots that the settings know stand, by name."""
    known = {root.name: root for root in StorageRoot.objects.filter(name__in=settings.STORAGE_ROOTS)}
    pks = [root.pk for root in known.values()]
    over = IndexRun.objects.filter(root__in=pks).exclude(state__in=sorted(ACTIVE))
    good = over.filter(prefix="", plan_is_whole=True).exclude(state__in=sorted(STUCK))
    compared = _last(good.filter(incremental=False).values("root", "counts"))
    looked = _last(good.annotate(ago=_since("entered_at")).values("root", "ago"))
    last = _last(over.values("root", "state", "refusal", "failure_message"))
    missing = StoredFile.objects.filter(root__in=pks, state=FileState.MISSING).order_by().values_list("root")
    counted = dict(missing.annotate(count=Count("pk")))
    return [
        Standing(
            root=root,
            stats=IndexSyncStats.of(compared[root.pk]["counts"]) if root.pk in compared else None,
            missing=counted.get(root.pk, 0),
            looked_ago=looked[root.pk]["ago"] if root.pk in looked else None,
            why_stuck=_why_stuck(last.get(root.pk)),
        )
        for root in (known.get(name) or StorageRoot(name=name) for name in sorted(settings.STORAGE_ROOTS))
    ]


def looks_at_least_every() -> timedelta | None:
    """So often a root is looked through by itself; None: never."""
    periods = [
        timedelta(days=settings.STORAGE_WHOLE_EVERY_DAYS),
        timedelta(hours=settings.STORAGE_INCREMENTAL_EVERY_HOURS),
    ]
    return min((each for each in periods if each), default=None)


def _last(runs: QuerySet[IndexRun, Any]) -> dict[int, Any]:
    """The last of each root."""
    return {found["root"]: found for found in runs.order_by("root", "-pk").distinct("root")}


def _since(field: str) -> Combinable:
    return ExpressionWrapper(Now() - F(field), output_field=DurationField())


def _why_stuck(run: dict[str, Any] | None) -> str:
    if run is None or run["state"] not in STUCK:
        return ""
    return str(run["refusal"] or run["failure_message"])
