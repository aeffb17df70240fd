from django.apps import AppConfig

from console.shell import declared


class ApiConfig(AppConfig):
    name = "api"
    console_name = "Interface for programs"

    def ready(self) -> None:
        declared.at_first_page(_declare)


def _declare() -> None:
    from api import console  # noqa: PLC0415 - once the apps are there

    console.declare()
