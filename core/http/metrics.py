"""GET /metrics: what Prometheus scrapes. One scrape of any web process tells of all processes of all hosts."""

import secrets
from collections.abc import Callable, Iterator
from itertools import accumulate

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from core.ops import replica, tally
from core.ops.last_backup import BackupCollector
from core.ops.postgres import PostgresCollector
from statemachine.metrics import EngineCollector, WritingCollector, never_yet

HELP: dict[tally.Counted | tally.Observed, str] = {
    "dropbox_call_seconds": "Calls to Dropbox by route and outcome, and how long they took.",
    "dropbox_pauses": "How often Dropbox asked for a pause of an account.",
    "dropbox_wait_seconds": "How long calls waited for their turn.",
    "list_reads": "Lists and exports by where they were read, and why there; only where there is a replica.",
    "messages_lost": "Messages that no worker would have answered, found by the reconciler.",
    "messages_refused": "Messages that Redis did not take.",
    "messages_rung": "Messages sent.",
    "request_seconds": "Requests by area and outcome, and how long it took until the answer began.",
    "settle_seconds": "From when work was owed until the record came to rest, by the state it rests in.",
    "share_downloads": "Documents that were handed out by a link.",
    "share_refusals": "What was asked of a link or a public page and not given, by reason.",
    "stale_messages": "Messages about a row that had moved on.",
    "transitions": "Transitions by kind and by who took them.",
    "tries": "Tries begun, by state.",
    "tries_given_up": "Records that failed, by the state they were in and the reason.",
    "tries_lost": "Tries whose worker was killed, or lost the database; they are repeated.",
    "sets": "Groups of records that were worked on together.",
    "slices": "Slices of long work that have kept what they reached.",
    "tries_put_back": "Tries that did not succeed and are repeated, by reason.",
}


# Of parts that this one does not know: each makes a collector for the scrape.
_further: dict[str, Callable[[], Collector]] = {}


def tell_too(part: str, collector: Callable[[], Collector]) -> None:
    """Let a part of the product tell something at each scrape. The same name replaces what was there."""
    _further[part] = collector


class TallyCollector(Collector):
    """For prometheus_client: what `core.ops.tally` has counted."""

    def collect(self) -> Iterator[Metric]:
        try:
            tallied = tally.read()
        except RedisError:
            return  # `runsheet_up` says so
        for name, documentation in HELP.items():
            if name in tally.BOUNDS_S:
                yield _histogram(name, documentation, tallied)
            else:
                yield _counter(name, documentation, tallied)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every metric, for who knows METRICS_TOKEN and for superusers."""
    if not _may_look(request):
        return HttpResponse("Send METRICS_TOKEN as a bearer token, or log in as a superuser.\n", "text/plain", 401)
    registry = CollectorRegistry()
    always = (EngineCollector, WritingCollector, TallyCollector, PostgresCollector, BackupCollector, replica.collector)
    for collector in (*always, *_further.values()):
        registry.register(collector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_look(request: HttpRequest) -> bool:
    # Not by address: behind a proxy on the same host everybody comes from the loopback.
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        known: str = settings.METRICS_TOKEN
        return bool(known) and secrets.compare_digest(token.encode(), known.encode())
    return request.user.is_active and request.user.is_superuser


def _counter(name: str, documentation: str, tallied: tally.Tallied) -> Metric:
    family = Metric(f"runsheet_{name}", documentation, "counter")
    counted = {**dict.fromkeys(never_yet(name), 0.0), **tallied.counters.get(name, {})}
    for labels, value in counted.items():
        family.add_sample(f"runsheet_{name}_total", dict(labels), value)
    return family


def _histogram(name: str, documentation: str, tallied: tally.Tallied) -> Metric:
    family = Metric(f"runsheet_{name}", documentation, "histogram")
    bounds = [*map(str, map(float, tally.BOUNDS_S[name])), "+Inf"]  # type: ignore[index]  # the caller has looked
    for of, found in tallied.histograms.get(name, {}).items():
        labels = dict(of)
        cumulated = list(accumulate(found.counts.get(bucket, 0) for bucket in range(len(bounds))))
        for bound, count in zip(bounds, cumulated, strict=True):
            family.add_sample(f"runsheet_{name}_bucket", labels | {"le": bound}, count)
        family.add_sample(f"runsheet_{name}_sum", labels, found.total)
        family.add_sample(f"runsheet_{name}_count", labels, cumulated[-1])
    return family
