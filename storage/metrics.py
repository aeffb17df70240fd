"""What the index tells of each root, looked up at the scrape."""

from collections.abc import Iterator

from django.db import Error
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from storage.standing import Standing, standing

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


def _gauge(name: str, documentation: str, found: list[Standing]) -> Metric:
    family = _family(name, documentation)
    shown = {"files": "files_on_disk"}
    for each in found:
        if each.stats is not None:
            family.add_metric([each.root.name], getattr(each.stats, shown.get(name, name)))
    return family


def _family(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"runsheet_storage_{name}", documentation, labels=["root"])
