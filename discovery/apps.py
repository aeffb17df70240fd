from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    name = "discovery"

    def ready(self) -> None:
        from cloud import dependants  # noqa: PLC0415 - once the apps are there
        from discovery import console  # noqa: PLC0415 - the same
        from discovery.dependants import Leases  # noqa: PLC0415 - the same

        dependants.declare(Leases())
        console.declare()
