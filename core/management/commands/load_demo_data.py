"""`manage.py load_demo_data`: what `manage.py up` puts into an empty database."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from core.base.errors import RunsheetError
from discovery.services.demo_data import load_demo_data, renew_links

# The console of `manage.py up` answers on loopback only.
OPERATOR = "operator"
PASSWORD = "operator"  # noqa: S105 - printed by `manage.py up`


class Command(BaseCommand):
    help = "Make the user “operator” and leases to play with, unless there is a user already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only-user", action="store_true", help="no Dropbox account, agencies and leases")

    def handle(self, *, only_user: bool, **options: Any) -> None:
        if User.objects.exists():
            self.stdout.write("There are users already; nothing is added.")
            if not only_user:
                self._renew_links()
            return
        User.objects.create_superuser(OPERATOR, "operator@example.com", PASSWORD)
        if not only_user:
            load_demo_data()
        self.stdout.write(f"The user “{OPERATOR}” is there.")

    def _renew_links(self) -> None:
        try:
            renew_links()
        except RunsheetError as error:
            # The console works all the same; only its old links into the stand-in lead nowhere.
            self.stderr.write(f"The stored share links could not be renewed: {error}")
