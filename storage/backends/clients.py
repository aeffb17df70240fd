"""A client of a library for each process: one that was made before a fork shares connections with the parent."""

import os
from collections.abc import Callable


class PerProcess[Client]:
    """Makes the client when it is first asked for, and again in a child of the process that did.

    Two threads that ask at once for the first time may get one each. Nothing waits for a lock that a parent held.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._made: tuple[int, Client] | None = None

    def __call__(self) -> Client:
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = (os.getpid(), self._make())
        return made[1]
