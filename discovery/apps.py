from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    name = "discovery"

    def ready(self) -> None:
        from discovery import checks  # noqa: F401, PLC0415 - registers itself once the apps are there
