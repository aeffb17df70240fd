from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from core import logs, sentry


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Let what is logged, and what goes wrong, be seen."""
        logs.configure_structlog()
        sentry.start()


class ConsoleConfig(AdminConfig):
    default_site = "core.console.Console"
