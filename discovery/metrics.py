"""What is told of the watched folders of archives, looked up at the scrape."""

from collections.abc import Iterator

from django.db import Error
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from discovery.services.archive_standing import watches_standing


class ArchiveCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = watches_standing()
        except Error:
            return
        watched = GaugeMetricFamily("runsheet_archives_watched", "Folders of archives that are watched.")
        watched.add_metric([], sum(each.poll is not None for each in found))
        age = _family("read_age_seconds", "Since when it is known what lies there; nothing where it is not known now.")
        stuck = _family("stuck", "1 where the last run over it was refused or has failed.")
        for each in found:
            stuck.add_metric([each.name], bool(each.why_stuck))
            if each.read_ago is not None:
                age.add_metric([each.name], max(each.read_ago.total_seconds(), 0.0))
        yield from (watched, age, stuck)


def _family(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"runsheet_archives_{name}", documentation, labels=["root"])
