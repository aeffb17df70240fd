"""What the machines owe, how late they are, and who works on it. A few cheap queries answer each scrape."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from datetime import timedelta
from typing import Any

from django.db import Error
from django.db.models import Count, DurationField, ExpressionWrapper, Min, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from core.ops import probes
from statemachine import doorbell, heartbeat
from statemachine import listeners as workers
from statemachine.errors import Bug, Crashed
from statemachine.models import StateField, StateMachine
from statemachine.reactions import machines, queue_of, queues

LANES = {"by_hand": False, "background": True}
_WAITING = Q(rung_at__isnull=False) | (Q(due_at__lte=Now()) & (Q(claimed_until=None) | Q(claimed_until__lte=Now())))
_UNRUNG = Q(due_at__lte=Now(), rung_at=None) & (Q(claimed_until=None) | Q(claimed_until__lte=Now()))


class EngineCollector(Collector):
    """For prometheus_client. What cannot be asked is left out, and `runsheet_up` says so."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("runsheet_up", "Whether this part answered the scrape.", labels=["part"])
        for part, ask, failures in (
            ("database", self._database, (Error,)),
            ("redis", self._redis, (RedisError,)),
        ):
            try:
                found = list(ask())
            except failures:
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
                yield from found
        yield up

    def _database(self) -> Iterator[Metric]:
        records = _gauge("records", "Records by state.", "machine", "state")
        owed = _gauge("owed_records", "Records that are owed work, now or later.", "machine")
        waiting = _gauge("queue_owed_records", "Records that wait for the workers of a queue now.", "queue")
        waited = _gauge("queue_oldest_owed_seconds", "Since when the oldest of these has been in its state.", "queue")
        by_queue = dict.fromkeys(queues(), 0)
        longest = dict.fromkeys(queues(), 0.0)
        oldest = _gauge("oldest_owed_seconds", "Since when the oldest of them has been in its state.", "machine")
        retrying = _gauge("retrying_records", "Records whose present work did not succeed at once.", "machine")
        lag = _gauge("dispatch_lag_seconds", "How long due work has waited to be rung for.", "machine", "lane")
        for model in machines():
            states = _look(model).values()
            machine = model._meta.label_lower
            counted = {row["state"]: row["records"] for row in states}
            for state in _states(model):
                records.add_metric([machine, state], counted.get(state, 0))
            for row in states:
                queue = queue_of(model, row["state"])
                by_queue[queue] += row["waiting"]
                longest[queue] = max(longest[queue], _longest([row["waited"]]))
            owed.add_metric([machine], sum(row["owed"] for row in states))
            oldest.add_metric([machine], _longest(row["oldest"] for row in states))
            retrying.add_metric([machine], sum(row["retrying"] for row in states))
            for lane in LANES:
                lag.add_metric([machine, lane], _longest(row[lane] for row in states))
        for queue, count in by_queue.items():
            waiting.add_metric([queue], count)
            waited.add_metric([queue], longest[queue])
        yield from (records, owed, waiting, waited, oldest, retrying, lag, *_heartbeats())

    def _redis(self) -> Iterator[Metric]:
        waiting = _gauge("queue_messages", "Messages that wait for a worker.", "queue")
        alive = _gauge("workers", "Workers that listen, by what they are at.", "queue", "state")
        listening = workers.listening()
        for queue in queues():
            waiting.add_metric([queue], doorbell.waiting_count(queue))
            states = [worker.state for worker in listening if queue in worker.queues]
            for state in sorted({"idle", "busy", *states}):
                alive.add_metric([queue, state], states.count(state))
        yield from (waiting, alive)


class WritingCollector(Collector):
    """For prometheus_client: whether what is written is taken, as /health/ready finds out; also by what takes no more."""

    def collect(self) -> Iterator[Metric]:
        looked, exercised = heartbeat.database_works.start(), probes.redis_works.start()
        answers: list[Future[Any]] = [looked, exercised]
        wait(answers, timeout=probes.PATIENCE_S)
        takes = _gauge("writable", "Whether this part took what was written to it.", "part")
        takes.add_metric(["database"], not heartbeat.database_words(looked))
        takes.add_metric(["redis"], exercised.done() and exercised.exception() is None)
        yield takes


def never_yet(name: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Labels of what is to be told as 0 before it happens: who asks for an increase cannot see one from nothing to 1."""
    if name == "tries_given_up":
        for model in machines():
            for state in sorted(model.working_states):
                for failure in (Bug, Crashed):
                    yield ("code", failure.code), ("machine", model._meta.label_lower), ("state", state)


def _gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"runsheet_{name}", documentation, labels=labels)


def _look(model: type[StateMachine]) -> dict[str, dict[str, Any]]:
    """What is to be told, by state; times by the database's clock."""
    rows = model._default_manager.order_by().values("state")
    found = rows.annotate(
        records=Count("pk"),
        owed=Count("pk", filter=Q(due_at__isnull=False)),
        waiting=Count("pk", filter=_WAITING),
        waited=_longest_since("entered_at", _WAITING),
        oldest=_longest_since("entered_at", Q(due_at__isnull=False)),
        retrying=Count("pk", filter=Q(state__in=model.working_states, tries__gt=1)),
        **{lane: _longest_since("due_at", _UNRUNG & Q(background=value)) for lane, value in LANES.items()},
    )
    return {row["state"]: dict(row) for row in found}


def _states(model: type[StateMachine]) -> list[str]:
    field = model._meta.get_field("state")
    assert isinstance(field, StateField)
    return [value for value, _ in field.flatchoices]


def _longest_since(field: str, condition: Q) -> Combinable:
    return ExpressionWrapper(Now() - Min(field, filter=condition), output_field=DurationField())


def _longest(times: Iterable[timedelta | None]) -> float:
    return max([0.0, *(time.total_seconds() for time in times if time)])


def _heartbeats() -> Iterator[Metric]:
    age_s = heartbeat.age_s(heartbeat.RECONCILER)
    if age_s is not None:
        family = _gauge("reconciler_age_seconds", "Since the last pass of a reconciler, on any host.")
        family.add_metric([], age_s)
        yield family
