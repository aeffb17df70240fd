"""How full the rooms for documents are, looked up at the scrape; nobody is named, since whoever scrapes may not know people."""

from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from django.db.models import Case, Count, F, FloatField, Max, Q, Value, When
from django.db.models.functions import Cast, Coalesce
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from documents.models import Quota

NEARLY_FULL = 0.9
WHOSE = {"people": Q(agency=""), "agencies": ~Q(agency="")}


class QuotaCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = _fullest()
        except Error:
            return
        fullest = _family("fullest_ratio", "How much of its room the fullest quota takes, from 0 to 1 and more.")
        full = _family("nearly_full", f"Quotas of whose room {NEARLY_FULL:.0%} or more is taken.")
        for whose in WHOSE:
            fullest.add_metric([whose], found[f"{whose}_fullest"])
            full.add_metric([whose], found[f"{whose}_full"])
        yield from (fullest, full)


def _fullest() -> dict[str, float]:
    """One statement; of the quotas that have a limit, and whose limit lets anything in at all."""
    of_all = Case(
        When(agency="", then=Value(settings.DOCUMENTS_QUOTA_BYTES)),
        default=Value(settings.DOCUMENTS_AGENCY_QUOTA_BYTES),
    )
    limited = Quota.objects.order_by().annotate(most=Coalesce("limit_bytes", of_all)).filter(most__gt=0)
    taken = limited.annotate(ratio=Cast(F("used_bytes") + F("reserved_bytes"), FloatField()) / F("most"))
    return taken.aggregate(
        **{f"{whose}_fullest": Max("ratio", filter=condition, default=0.0) for whose, condition in WHOSE.items()},
        **{
            f"{whose}_full": Count("pk", filter=condition & Q(ratio__gte=NEARLY_FULL))
            for whose, condition in WHOSE.items()
        },
    )


def _family(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"runsheet_documents_quota_{name}", documentation, labels=["whose"])
