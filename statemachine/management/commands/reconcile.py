"""`manage.py reconcile`: bring every row that is owed work on its way, for ever; any number of copies."""

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from statemachine import heartbeat
from statemachine.reconcile import reconcile

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Dispatch what is owed every few seconds, and fail what crashes its worker again and again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one pass, then exit")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            done = reconcile()
            heartbeat.beat(heartbeat.RECONCILER)
            self.stdout.write(
                f"{done.started} started, {done.dispatched} dispatched, {done.lost} messages lost, {done.crashed} crashed"
            )
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        run_until(stopped)


def run_until(stopped: threading.Event) -> None:
    """Pass after pass; an outage of the database is waited out."""
    while not stopped.is_set():
        _pass()
        stopped.wait(settings.RECONCILE_INTERVAL_S)


def _pass() -> None:
    try:
        done = reconcile()
        heartbeat.beat(heartbeat.RECONCILER)
    except (OperationalError, InterfaceError) as error:
        # The next pass opens a new connection; whoever supervises sees the log.
        logger.warning("reconciler: the database does not answer (%s)", str(error).strip())
        connection.close()
    else:
        if done:
            logger.info("reconciler: %s", done)
