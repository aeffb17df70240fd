"""`manage.py rqworker-pool`: django-rq's, of workers that share the memory that they have in common."""

import gc
from importlib import import_module
from typing import Any

POOL = import_module("django_rq.management.commands.rqworker-pool")


class Command(POOL.Command):  # type: ignore[misc]  # no name that could be imported
    """Starts a pool of workers for a queue."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Leave what is loaded by now to be shared: a collector that looks at it would copy it into each process."""
        gc.collect()
        gc.freeze()
        super().handle(*args, **options)
