"""`manage.py state_diagram`: draw a machine from its code."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from statemachine import diagram
from statemachine.models import StateMachine

FORMATS = {"mermaid": diagram.mermaid, "dot": diagram.dot, "svg": diagram.svg, "markdown": diagram.markdown}


class Command(BaseCommand):
    help = "Draw a machine: its states, what is owed in them, and who takes which transition."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", nargs="?", help="as in app.Model; may be left out while there is only one")
        parser.add_argument("--format", choices=FORMATS, default="mermaid", help="default: %(default)s")
        parser.add_argument("--mark", metavar="STATE", help="a state to point out")

    def handle(self, *, model: str | None, format: str, mark: str | None, **options: Any) -> None:  # noqa: A002 - the option's name
        try:
            picture = diagram.picture_of(_machine(model), mark=mark)
        except diagram.UnknownState as error:
            raise CommandError(str(error)) from error
        self.stdout.write(FORMATS[format](picture), ending="")


def _machine(label: str | None) -> type[StateMachine]:
    machines = {found._meta.label_lower: found for found in apps.get_models() if issubclass(found, StateMachine)}
    known = ", ".join(sorted(found._meta.label for found in machines.values()))
    if label is None and len(machines) == 1:
        return next(iter(machines.values()))
    if label is None:
        raise CommandError(f"Say which machine to draw: {known}.")
    if label.lower() not in machines:
        raise CommandError(f"There is no machine “{label}”. There are {known}.")
    return machines[label.lower()]
