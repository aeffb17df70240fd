from django.apps import AppConfig

from console.shell import declared


class LeasesConfig(AppConfig):
    name = "leases"

    def ready(self) -> None:
        declared.at_first_page(_declare)


def _declare() -> None:
    from leases import console  # noqa: PLC0415 - once the apps are there

    console.declare()
