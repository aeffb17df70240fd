"""A deadlock inside a C library, as a worker would meet one: no signal ends it, and no other thread of Python's runs."""

import ctypes
from typing import Any, NoReturn

from django.apps import AppConfig

# More than a mutex has anywhere; all zeros is an open one.
MUTEX_BYTES = 128


class HangingConfig(AppConfig):
    name = "bench.hanging"

    def ready(self) -> None:
        """Put a hang before the search of the leases that ask for it, on their first try."""
        from discovery import reactions  # noqa: PLC0415 - Django is ready only now

        look_for_directory = vars(reactions)["look_for_directory"]

        def look(*, lease: Any, gateway: Any) -> Any:
            if lease.lease_number.startswith("HANG") and lease.tries == 1:
                hang()
            return look_for_directory(lease=lease, gateway=gateway)

        vars(reactions)["look_for_directory"] = look


def hang() -> NoReturn:
    """Lock what is locked already, without giving the interpreter's lock back."""
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(MUTEX_BYTES)
    while True:
        library.pthread_mutex_lock(mutex)
