from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Notices"  # the only records that are the console's own

    def ready(self) -> None:
        from console import own  # noqa: PLC0415 - once the apps are there

        own.declare()


class SiteConfig(SimpleAdminConfig):
    """Django's admin, which looks for no module of ours by itself: each app declares what it shows."""

    default_site = "console.shell.site.Console"
