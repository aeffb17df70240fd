"""`manage.py rqworker-pool`: django-rq's, of workers that share the memory that they have in common."""  # noqa: N999 - its name

import gc
from importlib import import_module
from typing import Any

from django.core.checks import Tags

from core.base.shared_memory import leave_uncounted
from statemachine.checks import WORK

RQ_S: Any = import_module("django_rq.management.commands.rqworker-pool")  # no name that an import statement could say


class Command(RQ_S.Command):  # type: ignore[misc]  # as above
    """Starts a pool of workers for a queue."""

    # To look at the console's pages, too, it would have to load them; who shows them does.
    requires_system_checks = (Tags.models, WORK)

    def handle(self, *args: Any, **options: Any) -> None:
        """Leave what is loaded by now to be shared: who counts or collects it would copy it into each process."""
        leave_uncounted()
        gc.freeze()
        super().handle(*args, **options)
