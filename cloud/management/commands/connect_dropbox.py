"""`manage.py connect_dropbox`: for set-ups without a browser."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from cloud.dependants import dependants
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from core.base.errors import RunsheetError
from core.base.folding import printable


class Command(BaseCommand):
    help = "Connect a user to Dropbox with a refresh token, which is read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="whose runs will use this Dropbox account")

    def handle(self, *, user: str, **options: Any) -> None:
        person = _person(user)
        try:
            account = connect_account(user=person, refresh_token=_read_token())
        except (RunsheetError, ImproperlyConfigured) as error:
            raise CommandError(printable(str(error))) from error
        connected = f"{user} is connected to Dropbox as {account} ({account.account_id}), {_root(account)}."
        self.stdout.write(printable(connected))
        for finding in (finding for each in dependants() for finding in each.look_through(person)):
            self.stdout.write(printable(f"{'ok  ' if finding.is_good else 'look'} {finding.text}"))


def _person(name: str) -> User:
    name = printable(name)
    person = User.objects.filter(username=name).first()
    if person is None:
        raise CommandError(f"There is no user {name!r}. Give the name that the user logs in with.")
    return person


def _read_token() -> str:
    # Neither an argument nor an echo: both would keep the token where others can read it.
    text = getpass.getpass("Refresh token: ") if sys.stdin.isatty() else sys.stdin.readline()
    token = text.strip()
    if not token:
        raise CommandError("Standard input holds no refresh token. Pipe it in, or paste it when asked for it.")
    return token


def _root(account: DropboxAccount) -> str:
    return f"team space {account.root_namespace_id}" if account.is_team_space else "personal space"
