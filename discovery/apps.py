from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    name = "discovery"

    def ready(self) -> None:
        from discovery import console  # noqa: PLC0415 - once the apps are there

        console.declare()
