"""Room for calls within calls, in one piece.

Python before 3.13.13 keeps the frames of a thread in pieces of 16 KiB, and unmaps a piece as soon as its first frame returns (CPython's
issue 142183). A loop that happens to stand at the end of a piece maps and unmaps memory with each call that it makes: 3,000 times for one
page of leases, which is a third of the page's time. Whether one does, depends on how deep the calls are: one more middleware can make
every page slower.
"""

from collections.abc import Callable
from functools import update_wrapper

# For a frame of this many slots, of 8 bytes, and the 1,000 that Python adds, it maps 256 KiB. So half of them are left for what is called.
# Nothing of it is memory before somebody writes there.
_SLOTS = 2**14 - 999


def roomy[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """The same, with 128 KiB in one piece for the frames of all that it calls. Django takes this as a middleware."""

    def called_with_room(*args: P.args, **kwargs: P.kwargs) -> R:
        return call(*args, **kwargs)

    # Python looks at what the code says it needs, and not at what it uses.
    called_with_room.__code__ = called_with_room.__code__.replace(co_stacksize=_SLOTS)
    return update_wrapper(called_with_room, call)
