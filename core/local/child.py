"""`python -m core.local.child PARENT PROGRAM …`: become that program, which ends when the process that started it does.

A function that runs between fork and exec would do the same, but Python cannot promise that to a parent with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, however it dies; elsewhere there is no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def become(*, parent: int, command: list[str]) -> None:
    """Replace this process by the command; does nothing when the parent has died before it could be watched."""
    end_with_parent()
    if os.getppid() == parent:
        os.execvp(command[0], command)  # noqa: S606 - the supervisor's own table of programs


if __name__ == "__main__":
    become(parent=int(sys.argv[1]), command=sys.argv[2:])
