"""What happens in any process of any host, counted together in Redis, so that one scrape of the web shows all of it.

Best effort: a tally that Redis does not take is lost, and nobody waits for it twice (`core.base.redis_client`). An emptied
Redis begins at zero again, which Prometheus takes for a restart. docs/observability.md lists what is counted.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from redis import Redis
from redis.exceptions import RedisError

from core.base.redis_client import ask
from core.base.redis_keys import redis_key

type Counted = Literal[
    "dropbox_pauses",
    "list_reads",
    "messages_lost",
    "messages_refused",
    "messages_rung",
    "share_downloads",
    "share_refusals",
    "stale_messages",
    "transitions",
    "tries",
    "tries_given_up",
    "tries_lost",
    "tries_put_back",
    "sets",
    "slices",
]
type Observed = Literal["dropbox_call_seconds", "dropbox_wait_seconds", "request_seconds", "settle_seconds"]

# The upper bounds of each histogram's buckets; the last bucket has none.
BOUNDS_S: dict[Observed, tuple[float, ...]] = {
    "dropbox_call_seconds": (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    "dropbox_wait_seconds": (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    "request_seconds": (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    "settle_seconds": (1, 2, 5, 10, 20, 30, 60, 120, 300, 600),
}
KEY = redis_key("tally")

_amounts: ContextVar[dict[str, float] | None] = ContextVar("amounts", default=None)

type Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Histogram:
    """Observations of one set of labels.

    Attributes:
        counts: how many fell into each bucket, by its position; not cumulative.
    """

    total: float = 0.0
    counts: dict[int, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(slots=True)
class Tallied:
    """Everything that was counted since Redis was last emptied, by name and labels."""

    counters: dict[str, dict[Labels, float]] = field(default_factory=lambda: defaultdict(dict))
    histograms: dict[str, dict[Labels, Histogram]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Histogram))
    )


@contextmanager
def gathered() -> Iterator[None]:
    """What is counted within is sent together, when it ends; within another one, when that does."""
    if _amounts.get() is not None:
        yield
        return
    amounts: dict[str, float] = defaultdict(float)
    token = _amounts.set(amounts)
    try:
        yield
    finally:
        _amounts.reset(token)
        if amounts:
            _send(amounts)


def count(name: Counted, amount: float = 1, **labels: object) -> None:
    """Add to a counter."""
    if amount:
        _add({_field(name, "count", labels): amount})


def observe(name: Observed, value: float, **labels: object) -> None:
    """Add one observation to a histogram."""
    bucket = bisect_left(BOUNDS_S[name], value)
    _add({_field(name, "sum", labels): value, _field(name, str(bucket), labels): 1})


def read() -> Tallied:
    """Everything that was counted.

    Raises:
        RedisError: Redis does not answer.
    """
    found: dict[bytes, bytes] = ask(lambda redis: redis.hgetall(KEY))  # type: ignore[arg-type, return-value]  # redis types its answers for both of its clients
    tallied = Tallied()
    for key, value in sorted(found.items()):
        name, part, labels = json.loads(key)
        of = tuple(sorted(labels.items()))
        if part == "count":
            tallied.counters[name][of] = float(value)
        elif part == "sum":
            tallied.histograms[name][of].total = float(value)
        else:
            tallied.histograms[name][of].counts[int(part)] = float(value)
    return tallied


def _field(name: str, part: str, labels: dict[str, object]) -> str:
    return json.dumps([name, part, {label: str(value) for label, value in sorted(labels.items())}])


def _add(amounts: Mapping[str, float]) -> None:
    gathering = _amounts.get()
    if gathering is None:
        _send(amounts)
        return
    for key, amount in amounts.items():
        gathering[key] += amount


def _send(amounts: Mapping[str, float]) -> None:
    def send(redis: Redis) -> None:
        with redis.pipeline(transaction=False) as pipeline:
            for key, amount in amounts.items():
                pipeline.hincrbyfloat(KEY, key, amount)
            pipeline.execute()

    with suppress(RedisError):
        ask(send)
