"""What the index tells of each root, looked up at the scrape."""

from collections.abc import Iterator

from django.db import Error
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.base.errors import RunsheetError
from core.ops.probes import Probe
from storage.backends import documents
from storage.standing import Standing, standing

# A place that hangs must not let the scrape hang; Prometheus waits 10 s for all of it.
PATIENCE_S = 3.0
# As the root in which they lie is called.
PLACE = "documents"

FIGURES = {
    "files": "Files that lay in the root when all of it was last compared.",
    "bytes": "What those hold.",
    "differences": "Rows that were not as they should be when all of it was last compared.",
    "anomalies": "What could not be indexed, such as links, when all of it was last compared.",
    "errors": "Of those, what could not be read.",
}


class StorageCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = standing()
        except Error:
            return
        yield from (_gauge(name, documentation, found) for name, documentation in FIGURES.items())
        missing = _family("missing_files", "Rows that say that a file or a directory is missing.")
        stuck = _family("stuck", "1 where the last run was refused or has failed.")
        age = _family("looked_age_seconds", "Since when a run has last come to its end over all of it.")
        for each in found:
            missing.add_metric([each.root.name], each.missing)
            stuck.add_metric([each.root.name], bool(each.why_stuck))
            if each.looked_ago is not None:
                age.add_metric([each.root.name], max(each.looked_ago.total_seconds(), 0.0))
        yield from (missing, stuck, age)


class PlaceCollector(Collector):
    """For prometheus_client: whether documents can be read and added where they lie, which is asked at each scrape."""

    def collect(self) -> Iterator[Metric]:
        reachable = _family("reachable", "1 where the place for documents lets us in.")
        room = _family("room_bytes", "How much may be added before the disk counts as full; of a disk only.")
        try:
            found = _place.start().result(timeout=PATIENCE_S)
        except (RunsheetError, TimeoutError):
            reachable.add_metric([PLACE], 0)
        else:
            reachable.add_metric([PLACE], 1)
            if found is not None:
                room.add_metric([PLACE], found)
        yield from (reachable, room)


def _gauge(name: str, documentation: str, found: list[Standing]) -> Metric:
    family = _family(name, documentation)
    shown = {"files": "files_on_disk"}
    for each in found:
        if each.stats is not None:
            family.add_metric([each.root.name], getattr(each.stats, shown.get(name, name)))
    return family


def _family(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"runsheet_storage_{name}", documentation, labels=["root"])


def _look_at_place() -> int | None:
    place = documents()
    place.check()
    return place.room_bytes()


_place = Probe(_look_at_place)
