"""Which failures are our own trouble. They are waited out, and never counted against the work that has met them."""

import random

from django.db import Error
from redis.exceptions import RedisError

from core.base import outages
from statemachine.errors import DatabaseOutage, HostOutage, OurOutage, RedisOutage

KINDS: tuple[tuple[type[Exception], type[OurOutage]], ...] = (
    (Error, DatabaseOutage),
    (RedisError, RedisOutage),
    (OSError, HostOutage),
)
# Between one try and the next of a worker that meets nothing but outages, each time twice as long.
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 120.0

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


def over() -> None:
    """Something could be recorded."""
    global _in_a_row  # noqa: PLW0603 - as above
    _in_a_row = 0
