from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig

from console.shell import declared


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Notices"  # the only records that are the console's own

    def ready(self) -> None:
        declared.at_first_page(_declare)


def _declare() -> None:
    from console import own  # noqa: PLC0415 - once the apps are there

    own.declare()


class SiteConfig(SimpleAdminConfig):
    """Django's admin, which looks for no module of ours by itself: each app declares what it shows."""

    default_site = "console.shell.site.Console"
