from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class StateMachineConfig(AppConfig):
    name = "statemachine"
    verbose_name = "State machines"

    def ready(self) -> None:
        """Find every app's reactions, so that whoever dispatches knows which work a state owes."""
        from statemachine import checks  # noqa: F401, PLC0415 - registers itself once the apps are there

        autodiscover_modules("reactions")
