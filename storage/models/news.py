"""Whether the end of a run is something that nobody was told yet.

Runs that begin by themselves come back every day and find the same. People are told of what is new, and once a week of what
is still so.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from storage.errors import IndexBraked
from storage.models.changes import Action, IndexChange

if TYPE_CHECKING:
    from storage.models.runs import IndexRun

TOLD_AGAIN_AFTER = timedelta(days=7)
# What goes away while it is looked at, as the files of programs at work do, is for nobody to mend.
PASSING = "vanished"
NAMED = 3
# See `storage.models.runs`.
STUCK = ("failed", "refused")
DONE = "done"


def has_new_anomalies(run: "IndexRun") -> bool:
    """Whether the run had something to say that no run of the root had when the same reader was last told, within a week."""
    return _new(run).exists()


def is_first_refusal(run: "IndexRun") -> bool:
    """Whether the reader was not told of the same within a week, or the root was looked through in between."""
    told = _told(run).filter(failure_code=run.failure_code).order_by("-pk").first()
    if told is None:
        return True
    since = type(run).objects.filter(root=run.root_id, pk__gt=told.pk, pk__lt=run.pk, plan_is_whole=True)
    return since.exclude(state__in=STUCK).exists()


def is_overcome(machine: "type[IndexRun]") -> Q:
    """Of runs that came to no end: that their root was read to its end since, be it by a run or by a look that found nothing new.

    What the brake has held is overcome where all that was missing was looked at, and not only what has changed since.
    """
    of_same = Q(prefix="") | Q(prefix=OuterRef("prefix"))
    later = machine._default_manager.filter(of_same, root=OuterRef("root"), pk__gt=OuterRef("pk"), plan_is_whole=True)
    whole = later.filter(Q(incremental=False) | ~Q(root__cursor=""), state=DONE)
    is_read = Q(root__read_at__gt=F("entered_at"))
    return is_read | Q(Exists(whole)) | Q(Exists(later.exclude(state__in=STUCK))) & ~Q(failure_code=IndexBraked.code)


def in_words(run: "IndexRun") -> str:
    """What it had to say: how much, and the first of what is new."""
    count, errors = run.counts.get("anomalies", 0), run.counts.get("errors", 0)
    what = f"one anomaly in the root “{run.root}”" if count == 1 else f"{count:,} anomalies in the root “{run.root}”"
    unread = f" {errors:,} could not be read, and nothing was concluded about what lies there." if errors else ""
    first = [key for key, _ in _new(run).order_by("key")[:NAMED]]
    said = IndexChange.objects.filter(run=run, action=Action.ANOMALY, key__in=first).exclude(etag=PASSING)
    # A name may have an end of line in it; here each has a line of its own.
    named = [f"{each.key}: {each.detail}".replace("\n", "\\n") for each in said.order_by("number")[:NAMED]]
    return "\n".join([f"There is {what}.{unread}" if count == 1 else f"There are {what}.{unread}", *named])


def _new(run: "IndexRun") -> QuerySet[Any, Any]:
    """What and where, of what is new. As sets: row by row it would take hours, where somebody has laid 40,000 links."""
    said = IndexChange.objects.filter(action=Action.ANOMALY).order_by().values_list("key", "etag")
    before = said.filter(run__in=list(_told(run).values_list("pk", flat=True)))
    return said.filter(run=run).exclude(etag=PASSING).difference(before)


def _told(run: "IndexRun") -> "QuerySet[IndexRun]":
    """Earlier runs of the root of which the same reader was told within a week."""
    found = type(run).objects.filter(root=run.root_id, initiated_by=run.initiated_by_id, pk__lt=run.pk)
    return found.filter(failure_notice__isnull=False, entered_at__gte=Now() - TOLD_AGAIN_AFTER)
