from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import own  # noqa: PLC0415 - once the apps are there

        own.declare()
