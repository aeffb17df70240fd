from django.apps import AppConfig

from core import logs


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Let what is logged, and what goes wrong, be seen."""
        logs.configure_structlog()
