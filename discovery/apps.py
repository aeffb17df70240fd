from django.apps import AppConfig

from console.shell import declared


class DiscoveryConfig(AppConfig):
    name = "discovery"

    def ready(self) -> None:
        from cloud import dependants  # noqa: PLC0415 - once the apps are there
        from discovery.dependants import Leases  # noqa: PLC0415 - the same
        from discovery.neighbours import IndexedArchives  # noqa: PLC0415 - the same
        from leases import neighbours  # noqa: PLC0415 - the same

        dependants.declare(Leases())
        neighbours.declare(IndexedArchives())
        declared.at_first_page(_declare)


def _declare() -> None:
    from discovery import console  # noqa: PLC0415 - once the apps are there

    console.declare()
