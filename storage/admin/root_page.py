"""What is shown of a root: what it is, whether it is there, what lies in it, as the last runs have seen it.

Nothing is asked of the place itself: a disk that hangs would hang the page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.urls import reverse

from console.records.links import record_url
from core.base.clock import now
from core.base.errors import RunsheetError
from core.base.sizes import size_text
from storage import schedule
from storage.admin.folders import Folder
from storage.admin.looking import Look, look_for
from storage.admin.names import visible
from storage.admin.places import FILES, RUNS
from storage.index.figures import IndexSyncStats
from storage.models import ACTIVE, FileState, IndexRun, RunState, StorageRoot, StoredFile
from storage.services import CHANGES

RUNS_SHOWN = 5
# Of what the settings say of a place, what says where it is; the rest is nobody's business, keys among it.
WHERE = ("directory", "bucket", "container", "endpoint_url")
BACK_ENDS = {
    "LocalStorage": "A disk",
    "S3Storage": "A bucket that speaks S3",
    "AzureStorage": "A container of Azure Blob Storage",
    "GcsStorage": "A bucket of Google Cloud Storage",
}


def with_last_runs(roots: QuerySet[StorageRoot]) -> QuerySet[Any]:
    """Each with the number of its last run, and of the last one that looked at all of it."""
    runs = IndexRun.objects.filter(root=OuterRef("pk")).order_by("-pk")
    whole = runs.filter(plan_is_whole=True, incremental=False, prefix="")
    return roots.annotate(last=Subquery(runs.values("pk")[:1]), last_whole=Subquery(whole.values("pk")[:1]))


@dataclass(frozen=True, kw_only=True)
class RootPage:
    """One root, as one person may see it.

    Attributes:
        last: its last run.
        whole: the last one that looked at all of it.
        missing: how many rows say that their file is missing.
    """

    root: StorageRoot
    user: User
    last: IndexRun | None
    whole: IndexRun | None
    missing: int

    @cached_property
    def declared(self) -> dict[str, Any] | None:
        """What the settings say of it; None: nothing any more."""
        try:
            return self.root.declared
        except RunsheetError:
            return None

    @property
    def kind(self) -> str:
        """What it is made of."""
        if self.declared is None:
            return "Not in the settings any more"
        if self.root.is_of_app:
            return f"Read by a cursor: {str(self.declared.get('kind', '')).capitalize()}"
        place = settings.STORAGES.get(self.declared.get("storage", ""))
        if self.declared.get("kind", "files") != "storage" or place is None:
            return {"files": "A directory"}.get(self.declared.get("kind", "files"), str(self.declared.get("kind")))
        name = str(place["BACKEND"]).rpartition(".")[2]
        return BACK_ENDS.get(name, name)

    @property
    def where(self) -> list[str]:
        """Where that is."""
        if self.declared is None:
            return []
        place = settings.STORAGES.get(self.declared.get("storage", ""), {})
        said = {
            **place.get("OPTIONS", {}),
            "directory": self.declared.get("path") or place.get("OPTIONS", {}).get("directory"),
        }
        return [visible(str(said[name])) for name in WHERE if said.get(name)]

    @property
    def looked(self) -> str:
        """Whether it was there when a run looked last."""
        if self.last is None:
            return "Nobody has looked yet"
        if self.last.state in ACTIVE:
            return "Being looked at"
        if self.last.state == RunState.REFUSED and not self.last.plan_is_whole:
            return "Not there"
        return "There" if self.last.plan_is_whole else "Not known"

    @property
    def is_away(self) -> bool:
        return self.looked == "Not there"

    @property
    def figures(self) -> IndexSyncStats:
        return IndexSyncStats.of(self.whole.counts if self.whole else {})

    @property
    def is_overtaken(self) -> bool:
        """Whether other runs came after the one whose figures these are; nobody counts anew, so what they saw is not in."""
        return bool(self.whole and self.last) and self.whole != self.last

    @property
    def size(self) -> str:
        return size_text(self.figures.bytes)

    @property
    def grace_days(self) -> int:
        """How long the row of what is missing stays."""
        return int(settings.STORAGE_MISSING_GRACE_DAYS)

    @property
    def told_of_differences(self) -> str:
        """What the last run's differences are of, and whether they were seen to; empty if there were none."""
        if self.last is None or not self.last.plan_is_whole or not IndexSyncStats.of(self.last.counts).differences:
            return ""
        is_done = self.last.state == RunState.DONE and not self.last.stops_at_plan
        seen_to = "That run has brought them up to date." if is_done else "See the run for what became of them."
        return f"A difference is a row of the index that did not say what lay there. {seen_to}"

    @property
    def result(self) -> str:
        """What came of the last run, in a sentence; anomalies in a line each below it."""
        if self.last is None:
            return ""
        said = IndexSyncStats.of(self.last.counts)
        if self.last.refusal or self.last.failure_message:
            return "\n".join(map(visible, (self.last.refusal or self.last.failure_message).split("\n")))
        if not self.last.plan_is_whole:
            return ""
        found = (
            f"{said.differences:,} difference{'' if said.differences == 1 else 's'}"
            if said.differences
            else "No differences"
        )
        told = f", {said.anomalies:,} anomal{'y' if said.anomalies == 1 else 'ies'}" if said.anomalies else ""
        return f"{found}{told}"

    @property
    def last_url(self) -> str:
        return record_url(self.last, self.user) if self.last else ""

    @property
    def files_url(self) -> str:
        return Folder(self.root, "").url

    @property
    def missing_url(self) -> str:
        return reverse(FILES, query={"in": f"{self.root.name}/", "state__exact": FileState.MISSING})

    @property
    def runs_url(self) -> str:
        return reverse(RUNS, query={"root__name": self.root.name})

    @cached_property
    def next_at(self) -> datetime | None:
        """When the schedule begins the next run; None: never. Who has declared a root by itself looks after it, too."""
        is_ours = self.declared is not None and not self.root.is_of_app
        return schedule.next_at(self.root) if is_ours else None

    @property
    def is_due(self) -> bool:
        return self.next_at is not None and self.next_at <= now()

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing begins because something has changed there, since the last run wants somebody first."""
        is_ours = not self.root.is_of_app
        return is_ours and self.last is not None and self.last.state in schedule.LEFT_ALONE and not self.is_away

    @property
    def look(self) -> Look | None:
        """The form for a look now; None where the settings do not say where to look."""
        return look_for(self.user, root=self.root.name) if self.declared is not None else None

    @property
    def marker(self) -> str:
        return visible(self.root.marker)

    @property
    def marker_url(self) -> str:
        """Where its marker is given up; empty: there is none, or the person may not."""
        may = bool(self.root.marker) and self.user.has_perm(CHANGES)
        return reverse("admin:storage_storageroot_marker", args=[self.root.pk]) if may else ""

    @cached_property
    def runs(self) -> list[tuple[IndexRun, str]]:
        """The last ones, each with its page."""
        found = self.root.runs.select_related("initiated_by").order_by("-pk")[:RUNS_SHOWN]
        return [(run, record_url(run, self.user)) for run in found]


def pages_of(roots: Iterable[Any], *, user: User) -> dict[int, RootPage]:
    """Of each of these roots, which know the numbers of their last runs; in two statements, however many there are."""
    found = list(roots)
    numbers = {pk for root in found for pk in (root.last, root.last_whole) if pk}
    runs = IndexRun.objects.in_bulk(list(numbers))
    missing = StoredFile.objects.filter(state=FileState.MISSING, root__in=[root.pk for root in found]).order_by()
    counts = dict(missing.values_list("root_id").annotate(count=Count("pk")).values_list("root_id", "count"))
    return {
        root.pk: RootPage(
            root=root,
            user=user,
            last=runs.get(root.last),
            whole=runs.get(root.last_whole),
            missing=counts.get(root.pk, 0),
        )
        for root in found
    }


def not_met() -> list[str]:
    """The roots that the settings know, and no run has looked at."""
    return sorted(set(settings.STORAGE_ROOTS) - set(StorageRoot.objects.values_list("name", flat=True)))
