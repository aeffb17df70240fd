"""What a measurement comes to, and what it is compared with."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Measured on the predecessor of this product; only at 50 ms per call, the burst of 100 leases with 4 workers.
PREDECESSOR = {"calls_per_lease": 11, "serial_median_s": 0.653, "burst_of_100_s": 16.9, "latency_ms": 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measurement.

    Attributes:
        calls_per_lease: by route.
        median_s, p95_s, max_s: from a lease's commit to its being settled, by the database's clock.
        elapsed_s: from the first lease's commit to the last one's being settled.
        latency_share: of the time that the workers could have worked, how much they waited for Dropbox; in serial mode
            one of them works at a time.
        processor_ms_per_lease: user and system time of all parts of the product: who creates the leases, the pool of
            workers, the reconciler, PostgreSQL, Valkey; not the stand-in for Dropbox. `processor_ms_by_part` has each.
        statements_to_create, statements_to_work: messages to PostgreSQL with SQL for one lease, as its own log counts
            them: each statement is a way there and back. BEGIN, COMMIT and savepoints among them, `frames_…` says how
            many.
        load_before: the machine's load average (processes that want a processor) before anything was started; what else
            runs is in every figure.
        peak_bytes: of the worker pool, its work-horses included; `memory_kind` says which sum it is.
    """

    mode: str
    leases: int
    workers: int
    latency_ms: int
    calls_per_lease: Mapping[str, float]
    median_s: float
    p95_s: float
    max_s: float
    elapsed_s: float
    leases_per_s: float
    latency_share: float
    processor_ms_per_lease: float
    processor_ms_by_part: Mapping[str, float]
    statements_to_create: int
    statements_to_work: int
    frames_to_create: int
    frames_to_work: int
    peak_bytes: int
    memory_kind: str
    load_before: float
    processors: int


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile (the smallest value that 95 % do not exceed) and maximum."""
    ordered = sorted(seconds)
    return {
        "median_s": statistics.median(ordered),
        "p95_s": ordered[-(-95 * len(ordered) // 100) - 1],
        "max_s": ordered[-1],
    }


def per_lease(routes: Sequence[str], leases: int) -> dict[str, float]:
    return {route: count / leases for route, count in sorted(Counter(routes).items())}


def shown(figures: Figures) -> str:
    """The figures for a person."""
    calls = ", ".join(f"{route} {count:g}" for route, count in figures.calls_per_lease.items())
    parts = ", ".join(f"{part} {ms:.1f}" for part, ms in figures.processor_ms_by_part.items())
    rows = (
        (f"Dropbox calls per lease ({calls})", f"{sum(figures.calls_per_lease.values()):g}", "11"),
        ("commit to settled, median", _ms(figures.median_s), _before(figures, mode="serial")),
        ("commit to settled, 95 %", _ms(figures.p95_s), ""),
        ("commit to settled, longest", _ms(figures.max_s), ""),
        ("first commit to last settled", f"{figures.elapsed_s:.2f} s", _before(figures, mode="burst")),
        ("leases per second", f"{figures.leases_per_s:.1f}", ""),
        ("share of that time waiting for Dropbox", f"{figures.latency_share:.0%}", ""),
        (f"processor time per lease ({parts})", f"{figures.processor_ms_per_lease:.1f} ms", ""),
        (_statements("create", figures.frames_to_create), f"{figures.statements_to_create}", ""),
        (_statements("work", figures.frames_to_work), f"{figures.statements_to_work}", ""),
        (f"peak memory of the worker pool ({figures.memory_kind})", f"{figures.peak_bytes / 2**20:.0f} MiB", ""),
        (f"load of the machine before ({figures.processors} processors)", f"{figures.load_before:.1f}", ""),
    )
    title = f"{figures.leases} leases, {figures.mode}, {figures.latency_ms} ms per call, {figures.workers} workers, no ceiling"
    width = max(len(name) for name, *_ in rows)
    lines = [f"{title:<{width}}  {'now':>9}  predecessor"]
    return "\n".join(lines + [f"{name:<{width}}  {now:>9}  {before}".rstrip() for name, now, before in rows])


def _statements(what: str, frames: int) -> str:
    return f"statements to {what} a lease ({frames} of them BEGIN, COMMIT or savepoints)"


def _before(figures: Figures, *, mode: str) -> str:
    """The predecessor's figure, where it was measured under the same conditions."""
    same = figures.mode == mode and figures.latency_ms == PREDECESSOR["latency_ms"]
    if mode == "burst":
        same = same and figures.leases == 100 and figures.workers == 4
        return f"{PREDECESSOR['burst_of_100_s']} s" if same else ""
    return _ms(PREDECESSOR["serial_median_s"]) if same else ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
