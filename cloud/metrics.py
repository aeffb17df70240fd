"""How it stands with the connections to Dropbox, looked up at the scrape."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db import Error
from django.db.models.functions import Now
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cloud.errors import TokensUnreadable
from cloud.fields import opened, sealed
from cloud.models import DropboxAccount

STATES = ("working", "paused", "broken", "unreadable")
READ = ("refresh_token", "needs_reconnect_reason", "paused_until", "database_now")


class ConnectionCollector(Collector):
    """For prometheus_client. While the database is away it tells nothing, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        in_use = DropboxAccount.objects.filter(user__is_active=True).annotate(database_now=Now()).order_by()
        try:
            with sealed():
                found = list(in_use.values_list(*READ))
        except Error:
            return
        counted = Counter(_state(*row) for row in found)
        family = GaugeMetricFamily(
            "runsheet_dropbox_connections",
            "Connections to Dropbox of people who work here, by state.",
            labels=["state"],
        )
        for state in STATES:
            family.add_metric([state], counted[state])
        yield family


def _state(refresh_token: str, needs_reconnect_reason: str, paused_until: datetime | None, at: datetime) -> str:
    if needs_reconnect_reason:
        return "broken"
    try:
        opened(refresh_token)
    except TokensUnreadable:
        return "unreadable"
    return "paused" if paused_until and paused_until > at else "working"
