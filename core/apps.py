import logging

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig

from core.ops import logs, sentry


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Let what is logged, and what goes wrong, be seen."""
        logs.configure_structlog()
        # Else a line that cannot be formatted is printed with its arguments, past the redaction.
        logging.raiseExceptions = settings.DEBUG
        sentry.start()


class ConsoleConfig(AdminConfig):
    default_site = "core.console.Console"
