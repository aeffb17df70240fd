"""`manage.py up`: the console and everything behind it on this machine, until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.base.errors import Refused, RunsheetError
from core.local import servers
from core.local.processes import Children, child_environment, free_port, listening, run, stop_signals, supervised
from core.local.programs import MIGRATE, RECONCILER, standin, web, worker
from core.local.servers import ServerUrls
from core.management.commands.load_demo_data import OPERATOR, PASSWORD
from discovery.services.demo_data import NEWCOMER, TO_TRY
from statemachine.reactions import queues

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
HIGHEST_PORT = 65_535
# What the stand-in takes for this app; see its README.
STANDIN_APP = {"DROPBOX_APP_KEY": "standin-app", "DROPBOX_APP_SECRET": "standin-secret"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to run.

    Attributes:
        standin_port: where the stand-in for Dropbox listens; none if another Dropbox is used.
        dropbox_base_url: empty for the real Dropbox.
    """

    port: int
    workers: int
    standin_port: int | None
    dropbox_base_url: str

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/{settings.ADMIN_PATH}/"

    @property
    def standin(self) -> dict[str, str] | None:
        """What leads to the stand-in; None if another Dropbox is used."""
        if self.standin_port is None:
            return None
        return {**STANDIN_APP, "DROPBOX_BASE_URL": self.dropbox_base_url}

    @property
    def proposals(self) -> dict[str, str]:
        """Leases to try, whose archives the stand-in has."""
        return {} if self.standin_port is None else {"LEASES_TO_TRY": "; ".join(map(" ".join, TO_TRY))}


class Command(BaseCommand):
    help = "Run the console, the workers, the reconciler and a stand-in for Dropbox, until Ctrl-C."
    requires_system_checks = []  # the database does not run yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help=f"of the console (default {DEFAULT_PORT}, or another if taken)")
        parser.add_argument("--workers", type=int, default=2, help="how many workers each queue gets (default 2)")
        parser.add_argument("--real-dropbox", action="store_true", help="no stand-in: the Dropbox of dropbox.com")

    def handle(self, *, port: int | None, workers: int, real_dropbox: bool, **options: Any) -> None:
        try:
            plan = _plan(port=port, workers=workers, real_dropbox=real_dropbox)
            with stop_signals(), servers.running() as urls:
                self._serve(plan, urls)
        except KeyboardInterrupt:
            self.stdout.write("Everything is stopped; the data stays for the next time.")
        except RunsheetError as error:
            raise CommandError(str(error)) from error

    def _serve(self, plan: Plan, urls: ServerUrls) -> None:
        told = {"DROPBOX_BASE_URL": plan.dropbox_base_url, "CONSOLE_URL": f"http://{HOST}:{plan.port}"}
        environment = child_environment(urls, **told | (plan.standin or {}) | plan.proposals)
        run((*MIGRATE, "--verbosity", "0"), environment=environment)
        with (
            listening(plan.port) as listener,
            servers.remember_standin(plan.standin),
            supervised([], environment=environment, echo=sys.stdout) as children,
        ):
            plan = replace(plan, port=listener.getsockname()[1])
            _start(plan, children, environment, listener.fileno())
            self.stdout.write(_welcome(plan))
            self.stdout.flush()
            try:
                children.keep(urls.guards)
            finally:
                self.stdout.write("\nStopping …")
                self.stdout.flush()


def _plan(*, port: int | None, workers: int, real_dropbox: bool) -> Plan:
    if workers < 1:
        raise Refused(f"--workers must be 1 or more, not {workers}.")
    if real_dropbox and not (settings.DROPBOX_APP_KEY and settings.DROPBOX_APP_SECRET):
        raise Refused(
            "Set DROPBOX_APP_KEY and DROPBOX_APP_SECRET to those of your Dropbox app to use the real Dropbox."
        )
    base_url = "" if real_dropbox else settings.DROPBOX_BASE_URL
    standin_port = None if real_dropbox or base_url else free_port()
    return Plan(
        port=_web_port(port),
        workers=workers,
        standin_port=standin_port,
        dropbox_base_url=base_url if standin_port is None else f"http://{HOST}:{standin_port}",
    )


def _web_port(asked: int | None) -> int:
    if asked is None:
        return free_port(DEFAULT_PORT)
    if not 0 < asked <= HIGHEST_PORT:
        raise Refused(f"--port must be a number from 1 to {HIGHEST_PORT}, not {asked}.")
    if free_port(asked) != asked:
        raise Refused(f"Port {asked} of {HOST} cannot be had: another program listens there. Name another one.")
    return asked


def _start(plan: Plan, children: Children, environment: dict[str, str], listener: int) -> None:
    if plan.standin_port is not None:
        children.start(standin(port=plan.standin_port))
        children.wait_for(plan.dropbox_base_url)
    only_user = () if plan.standin_port is not None else ("--only-user",)
    quiet = {"LOG_LEVEL": "WARNING"}
    run(("python", "manage.py", "load_demo_data", *only_user), environment=environment | quiet)
    pools = [worker(count=plan.workers, queue=queue) for queue in queues()]
    children.start(web(bind=f"fd://{listener}", inherits=(listener,)), *pools, RECONCILER)
    children.wait_for(plan.address)


def _welcome(plan: Plan) -> str:
    dropbox = (
        f"the stand-in at {plan.dropbox_base_url}" if plan.standin_port else plan.dropbox_base_url or "dropbox.com"
    )
    rows = {
        "Console": plan.address,
        "Login": f"{OPERATOR} / {PASSWORD}, who may do everything (unless you changed it)",
        **({"or": f"{NEWCOMER} / {NEWCOMER}, an operator who has no Dropbox yet"} if plan.standin_port else {}),
        "Dropbox": dropbox,
        "Logs": os.path.relpath(servers.LOCAL / "log", servers.ROOT) + "/",
        "Stop": "Ctrl-C",
    }
    width = max(map(len, rows))
    return "\n".join(["", *(f"  {name:<{width}}  {value}" for name, value in rows.items()), ""])
