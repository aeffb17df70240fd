"""`manage.py demo`: one lease for every outcome, on servers of its own that are gone afterwards."""

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.base.errors import RunsheetError
from core.local.processes import child_environment, free_port, interpreted, run, stop_signals, supervised
from core.local.programs import MIGRATE, RECONCILER, standin, worker
from core.local.servers import LOCAL, ROOT, ServerUrls
from core.local.spare import spare_servers
from core.management.commands.up import STANDIN_APP

DIRECTORY = LOCAL / "demo"
WORKERS = 4
INTERRUPTED = 130
# So that five tries take seconds, unless somebody wants it otherwise; it is said at the beginning.
QUICK_RETRIES = {"DISCOVERY_BACKOFF_BASE_S": "0.5"}


class Command(BaseCommand):
    help = "Discover one lease for every outcome on servers of its own; exit code 0 only if each ends as it should."
    requires_system_checks = []  # the database does not run yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document; all else goes to stderr")

    def handle(self, *, json: bool, **options: Any) -> None:
        try:
            with stop_signals(), spare_servers(DIRECTORY) as urls:
                code = _demonstrate(urls, as_json=json)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted; everything is stopped.")
            sys.exit(INTERRUPTED)
        except RunsheetError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)


def _demonstrate(urls: ServerUrls, *, as_json: bool) -> int:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = QUICK_RETRIES | child_environment(urls, DROPBOX_BASE_URL=address, **STANDIN_APP)
    with supervised([standin(port=port)], environment=environment, logs=DIRECTORY / "log") as children:
        run((*MIGRATE, "--verbosity", "0"), environment=environment)
        children.start(worker(count=WORKERS), RECONCILER)
        children.wait_for(address)
        return _play(environment, as_json=as_json)


def _play(environment: Mapping[str, str], *, as_json: bool) -> int:
    """The leases themselves, in a process that has this demo's servers for its own."""
    command = ("python", "manage.py", "play_demo", *(("--json",) if as_json else ()))
    # Its output is the demo's own, so it is not sent elsewhere as `run` would.
    return subprocess.run(interpreted(command), cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - our own
