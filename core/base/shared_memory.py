"""Let forks of this process go on sharing what it has loaded.

Whoever uses an object of Python's counts itself in it, and so writes to the page of memory that it lies on; a fork that
writes to a page gets a copy. So a worker would copy a third of all that is loaded with its first job, only to count.
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from itertools import batched
from types import CodeType
from typing import Any

AT_ONCE = 1_000
# What gc.get_referents does not tell of code.
OF_CODE = ("co_consts", "co_names", "co_name", "co_qualname", "co_filename", "co_linetable", "co_exceptiontable")


def leave_uncounted() -> int:
    """Have nobody count any more who uses what is loaded by now; how many objects that are.

    They become what None is: immortal (PEP 683, which names this use). None of them is freed any more, so this is for a
    process that has loaded what its forks need and does little else, right before it forks. Elsewhere than in the
    CPython that it is made for, nothing happens.
    """
    if not _can_be():
        return 0
    gc.collect()
    listed = gc.get_objects()
    leave = _marking()
    count = sum(map(leave, listed))
    # What cannot be part of a circle is not listed. It is found from what is.
    for some in batched(listed, AT_ONCE, strict=False):
        found = gc.get_referents(*some)
        while found:
            parts = [each for each in found if not gc.is_tracked(each) and leave(each)]
            count += len(parts)
            found = gc.get_referents(*parts)
            found += [getattr(each, name) for each in parts if isinstance(each, CodeType) for name in OF_CODE]
    return count


def _marking() -> Callable[[Any], bool]:
    """What marks an object, and tells whether it was counted before."""
    # All that a process can have, in words of 32 bits. An object begins with its count, and that with its lower half.
    memory = (ctypes.c_uint32 * 2**45).from_address(0)
    for_ever = memory[id(None) // 4]

    def leave(each: Any) -> bool:
        place = id(each) // 4
        if memory[place] == for_ever:
            return False
        memory[place] = for_ever
        return True

    return leave


def _can_be() -> bool:
    has_one_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    return (
        sys.implementation.name == "cpython"
        and sys.byteorder == "little"
        and sys.maxsize > 2**32
        and has_one_lock
        # As CPython 3.12 and 3.13 have it.
        and sys.version_info[:2] in {(3, 12), (3, 13)}
    )
