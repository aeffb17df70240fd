"""Ending with the process that started us, even when it is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie_to_parent(parent: int) -> bool:
    """Ask the kernel (Linux) for SIGTERM when the parent dies; False if it is dead already.

    The kernel's parent is the thread that started us: start the stand-in from a thread that lives as long as it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent
