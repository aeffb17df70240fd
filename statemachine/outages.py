"""Which failures are our own trouble. They are waited out, and never counted against the work that has met them."""

import random
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import Error, connection
from redis.exceptions import RedisError

from core.base import outages
from core.base.database import is_conflict, is_outage
from core.base.errors import SoftTimeLimit, WorkerStopping
from statemachine.errors import DatabaseOutage, HostOutage, OurOutage, RedisOutage
from statemachine.interruptions import told_as_such

KINDS: tuple[tuple[type[Exception], type[OurOutage]], ...] = (
    (Error, DatabaseOutage),
    (RedisError, RedisOutage),
    (OSError, HostOutage),
)
# Between one try and the next of a worker that meets nothing but outages, each time twice as long.
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 120.0
# How long a worker tries to give back what an outage of the database keeps it from recording; it could do nothing else.
PATIENCE_S = 45.0
POLL_S = 1.0

_in_a_row = 0  # of this process


def outage_in(error: BaseException) -> OurOutage | None:
    """Our own trouble as what it means for the work; None if the error is something else."""
    words = outages.in_words(error)
    return next((outage(words) for kind, outage in KINDS if words and isinstance(error, kind)), None)


def pause_s() -> float:
    """How long to wait after an outage: 10 s after the first in a row, 120 s at most, each times 0.5 to 1.5."""
    global _in_a_row  # noqa: PLW0603 - one worker does one job at a time
    pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**_in_a_row)
    _in_a_row = min(_in_a_row + 1, 10)
    return pause * random.uniform(0.5, 1.5)  # noqa: S311 - jitter


def outlast[T](act: Callable[[], T]) -> T | None:
    """Do what the database may not take at this moment, again and again for a while; None if it never took it.

    What is so written can be done twice: whether the first time came through may not be known.
    """
    given_up_at = time.monotonic() + PATIENCE_S
    with suppress(SoftTimeLimit, WorkerStopping), told_as_such():
        while time.monotonic() < given_up_at:
            try:
                return act()
            except Error as failure:
                if not (is_outage(failure) or is_conflict(failure)):
                    raise
                connection.close_if_unusable_or_obsolete()
            time.sleep(POLL_S)
    return None


def over() -> None:
    """Something could be recorded."""
    global _in_a_row  # noqa: PLW0603 - as above
    _in_a_row = 0
