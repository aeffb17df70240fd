"""What is to be done and when, on the run's own clock."""

import heapq
import itertools
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

AGAIN_S = 0.2


class Agenda:
    """Actions in the order of their time, which begins with the agenda; whoever owns it says everything with that time."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._begun = time.monotonic()
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def __bool__(self) -> bool:
        """Whether anything is still to be done."""
        return bool(self._waiting)

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._begun

    def say(self, line: str) -> None:
        self._say(f"{self.now_s:6.1f} s  {line}")

    def at(self, at_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._waiting, (at_s, next(self._order), action))

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        self.at(self.now_s + delay_s, action)

    def do_what_is_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.now_s:
            self.attempt(heapq.heappop(self._waiting)[2])

    def attempt(self, action: Callable[[], None]) -> None:
        """Do it; what a server is not there for, or what somebody has locked, is done a moment later."""
        try:
            action()
        except RedisError:  # it is down at present
            self.after(AGAIN_S, action)
        except (OperationalError, InterfaceError) as error:
            self.say(f"(a moment later, because of {type(error).__name__})")
            connection.close()
            self.after(AGAIN_S, action)
