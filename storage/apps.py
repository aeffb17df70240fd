from django.apps import AppConfig

from console.shell import declared


class StorageConfig(AppConfig):
    name = "storage"
    console_name = "Storage"

    def ready(self) -> None:
        declared.at_first_page(_declare)


def _declare() -> None:
    from core.http import metrics  # noqa: PLC0415 - once the apps are there
    from storage import console  # noqa: PLC0415 - once the apps are there
    from storage.metrics import PlaceCollector, StorageCollector  # noqa: PLC0415 - once the apps are there

    console.declare()
    metrics.tell_too("storage", StorageCollector)
    metrics.tell_too("place", PlaceCollector)
