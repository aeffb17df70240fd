from django.apps import AppConfig

from core import logs, sentry


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Let what is logged, and what goes wrong, be seen."""
        logs.configure_structlog()
        sentry.start()
