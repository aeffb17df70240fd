"""How much memory a pool of workers takes, its work-horses included."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

# The kernel counts the pages of all processes each time, at the expense of what is measured.
LOOK_AGAIN_S = 2.0


class Peak:
    """The highest sum seen so far.

    Attributes:
        kind: `PSS` where the system tells it (pages that processes share count once), else `RSS`.
    """

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self.kind = "PSS" if psutil.LINUX else "RSS"
        self._pool = psutil.Process(pid)

    def look(self) -> None:
        """Sum up the pool and everything beneath it."""
        total = 0
        with suppress(psutil.Error):
            for process in (self._pool, *self._pool.children(recursive=True)):
                with suppress(psutil.Error):  # a work-horse ends when its job does
                    total += process.memory_full_info().pss if self.kind == "PSS" else process.memory_info().rss
        self.bytes = max(self.bytes, total)


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Look every two seconds while the body runs, and at its end, when most is taken."""
    peak, ended = Peak(pid), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_AGAIN_S):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.look()
