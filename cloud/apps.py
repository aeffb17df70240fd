from django.apps import AppConfig


class CloudConfig(AppConfig):
    name = "cloud"
    console_name = "Dropbox"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out  # noqa: PLC0415 - once the apps are there

        from cloud import checks, console, oauth_session  # noqa: F401, PLC0415 - the first registers itself

        console.declare()
        # The admin site's own logout has no other place for it.
        user_logged_out.connect(oauth_session.give_back_at_logout)
