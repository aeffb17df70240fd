"""The stand-in's clock: the machine's, plus what a test has added to it."""

import time
from datetime import UTC, datetime


class Clock:
    """Time that can be advanced, so that tokens and links expire without waiting."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def time(self) -> float:
        return time.time() + self.offset_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        self.offset_s += seconds
