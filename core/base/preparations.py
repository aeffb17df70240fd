"""What is written before something is done, and taken back if that comes to nothing: room that is kept, numbers that are given.

Whoever remembers whether something was done does not take it for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_are_made = ContextVar("preparations", default=False)


@contextmanager
def preparing() -> Iterator[None]:
    """What is written in the body is a preparation; as a decorator, whatever the function writes."""
    before = _are_made.set(True)
    try:
        yield
    finally:
        _are_made.reset(before)


def are_made() -> bool:
    """Whether what is written now is one."""
    return _are_made.get()
