from django.apps import AppConfig

from console.shell import declared


class CloudConfig(AppConfig):
    name = "cloud"
    console_name = "Dropbox"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out  # noqa: PLC0415 - once the apps are there

        from cloud import checks, oauth_session  # noqa: F401, PLC0415 - the first registers itself

        declared.at_first_page(_declare)
        # The admin site's own logout has no other place for it.
        user_logged_out.connect(oauth_session.give_back_at_logout)


def _declare() -> None:
    from cloud import console  # noqa: PLC0415 - once the apps are there
    from cloud.metrics import ConnectionCollector  # noqa: PLC0415 - the same
    from core.http import metrics  # noqa: PLC0415 - the same

    console.declare()
    metrics.tell_too("connections", ConnectionCollector)
