"""How much processor time each part of the system has taken, user and system time together."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil


@dataclass(slots=True)
class Spent:
    """Seconds of processor time while the body ran, by part."""

    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def spent(parts: Mapping[str, int]) -> Iterator[Spent]:
    """What each part takes while the body runs.

    Args:
        parts: the process that a part begins with, by the part's name; all beneath it belong to it. Processes that end
            meanwhile count, since their parents wait for them.
    """
    before = {name: _taken_s(pid) for name, pid in parts.items()}
    found = Spent()
    yield found
    found.seconds = {name: _taken_s(pid) - before[name] for name, pid in parts.items()}


class Stopwatch:
    """What a thread takes in all that it does while the watch runs, one time after the other.

    Attributes:
        seconds: of processor time.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - began


def _taken_s(pid: int) -> float:
    top = psutil.Process(pid)
    total = 0.0
    for process in (top, *top.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it has ended just now, and counts with its parent
            times = process.cpu_times()
            total += times.user + times.system
            total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return total
