from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class StateMachineConfig(AppConfig):
    name = "statemachine"
    verbose_name = "State machines"

    def ready(self) -> None:
        """Find every app's reactions and duties, so that whoever dispatches knows which work is owed."""
        # The checks and the log's duty register themselves; the jobs are imported before a worker forks, not in each of its work-horses.
        from statemachine import checks, jobs, log_months, rq_connections  # noqa: F401, PLC0415

        rq_connections.make_as_all_others()
        autodiscover_modules("reactions", "duties")
