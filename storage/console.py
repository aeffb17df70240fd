"""What the console shows of storage: read like a table, and said once the apps are there."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from console import kinds
from console.kinds import Kind
from console.machine.badges import CLOCK, CROSSED, TICK, WARNING
from console.shell import counters, navigation
from console.shell.counters import Counter
from console.shell.navigation import Frame, Place
from storage.admin.file_filters import BY_SCHEDULE
from storage.admin.files import FileAdmin
from storage.admin.places import FILES, ROOTS
from storage.admin.roots import RootAdmin
from storage.admin.runs import RunAdmin
from storage.errors import IndexBraked
from storage.models import ACTIVE, FileState, IndexRun, RunState, StorageRoot, StoredFile

LISTS = {
    StorageRoot: RootAdmin,
    StoredFile: FileAdmin,
}

RUNS = Kind(
    machine=IndexRun,
    shown=RunAdmin,
    signs={
        RunState.QUEUED: CLOCK,
        RunState.PLANNING: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M10.5 10.5L14 14",
        RunState.PLANNED: "M4 2h5l3 3v9H4zM6 8h4M6 11h4",
        RunState.APPLYING: "M2 8h10M9 4.5L12.5 8L9 11.5",
        RunState.DONE: TICK,
        RunState.UNDOING: "M14 8H4M7 4.5L3.5 8L7 11.5",
        RunState.UNDONE: "M13 12V6H3M6 3L3 6l3 3",
        RunState.REFUSED: WARNING,
        RunState.ABORTED: CROSSED,
        RunState.FAILED: WARNING,
    },
    colours={
        RunState.PLANNED: "state-found",
        RunState.DONE: "is-ended",
        RunState.REFUSED: "state-not_found",
    },
    order=42,
    within=ROOTS,
)


def _missing() -> QuerySet[StoredFile]:
    """Where an app looks after the root, what went there is its own business."""
    return StoredFile.objects.filter(state=FileState.MISSING).exclude(root__in=StorageRoot.of_apps())


def _braked() -> QuerySet[StorageRoot]:
    """Those that wait for somebody: a later run that came to its end has let go of them."""
    runs = IndexRun.objects.filter(root=OuterRef("root")).exclude(state__in=sorted(ACTIVE)).order_by("-pk")
    last = {"state": RunState.REFUSED, "failure_code": IndexBraked.code, "pk": Subquery(runs.values("pk")[:1])}
    return StorageRoot.objects.filter(Exists(IndexRun.objects.filter(root=OuterRef("pk"), **last)))


COUNTERS = (
    Counter(
        order=42,
        label="Missing files",
        counted=_missing,
        address=FILES,
        right="storage.view_storedfile",
        narrowed={"state__exact": FileState.MISSING, "after": BY_SCHEDULE},
    ),
    Counter(
        order=43,
        label="Roots held by the brake",
        counted=_braked,
        address=ROOTS,
        right="storage.view_storageroot",
    ),
)

FRAME = Frame(
    places=(
        Place(
            order=42, label="Storage", address=ROOTS, right="storage.view_storageroot", also=("storage/storedfile/",)
        ),
    ),
)


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    kinds.put(RUNS)
    navigation.put("storage", FRAME)
    counters.put("storage", *COUNTERS)
