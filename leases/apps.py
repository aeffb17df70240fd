from django.apps import AppConfig


class LeasesConfig(AppConfig):
    name = "leases"

    def ready(self) -> None:
        from leases import console  # noqa: PLC0415 - once the apps are there

        console.declare()
