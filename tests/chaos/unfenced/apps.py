"""Takes the fence away when Django is ready."""

from django.apps import AppConfig


class UnfencedConfig(AppConfig):
    name = "tests.chaos.unfenced"

    def ready(self) -> None:
        from tests.chaos.unfenced.engine import take_the_fence_away

        take_the_fence_away()
