import logging

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import pre_migrate

from console.shell import declared
from core.base import statement_limits
from core.ops import logs, sentry


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Let what is logged, and what goes wrong, be seen; and say to the console what is about all apps."""
        logs.configure_structlog()
        # Else a line that cannot be formatted is printed with its arguments, past the redaction.
        logging.raiseExceptions = settings.DEBUG
        sentry.start()
        declared.at_first_page(_declare)
        pre_migrate.connect(statement_limits.refuse_to_migrate_in_haste, sender=self)


def _declare() -> None:
    from core import console  # noqa: PLC0415 - once the apps are there

    console.declare()
