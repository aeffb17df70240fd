# ruff: noqa: INP001 - Python looks for a module of this name, not for one of a package
"""The clock of a host that is wrong by CLOCK_SKEW_S: Python imports this at its start, from PYTHONPATH.

It shifts the wall clock as Python code reads it, which is all that the product and RQ read: `time.time` and `datetime.now`.
The monotonic clock, timers, and what C code asks the system stay true, as they do on a host whose clock is merely wrong.
"""

import os
import time
from datetime import datetime as true_datetime
from datetime import timedelta, tzinfo
from typing import Any

SKEW_S = float(os.environ.get("CLOCK_SKEW_S") or 0)


class _IsOneOf(type):
    """C code makes true instances, which must count as instances of the shifted class too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, true_datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, true_datetime)


def _shifted() -> type:
    class datetime(true_datetime, metaclass=_IsOneOf):  # noqa: N801 - takes the true one's place
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return true_datetime.now(tz) + timedelta(seconds=SKEW_S)

        @classmethod
        def utcnow(cls) -> Any:
            return true_datetime.utcnow() + timedelta(seconds=SKEW_S)  # noqa: DTZ003 - libraries still call it

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    datetime.__module__, datetime.__qualname__ = "datetime", "datetime"
    return datetime


def shift() -> None:
    import datetime as module  # noqa: ICN001, PLC0415 - the module itself, whose class is replaced

    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + SKEW_S
    time.time_ns = lambda: true_time_ns() + int(SKEW_S * 1e9)
    module.datetime = _shifted()  # type: ignore[assignment,misc]


if SKEW_S:
    shift()
