"""`manage.py reconcile`: bring every row that is owed work on its way, for ever; any number of copies."""

import faulthandler
import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection

from core.base.database import in_words, is_conflict, is_outage
from core.base.redis_client import patient
from statemachine import duties, heartbeat
from statemachine.checks import WORK
from statemachine.reconcile import forgive, reconcile

logger = logging.getLogger(__name__)

# A pass takes less than a second. One that hangs, as on a server that accepts and never answers, ends the process,
# shows where, and whatever supervises it starts another.
HANGS_S = 60


class Command(BaseCommand):
    help = "Dispatch what is owed every few seconds, and fail what crashes its worker again and again."
    # As a worker: to look at the console's pages, too, it would have to load them.
    requires_system_checks = (Tags.models, WORK)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one pass, then exit")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            self._once()
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        run_until(stopped)

    def _once(self) -> None:
        try:
            with patient():
                done = reconcile()
            duties.ring()
            heartbeat.beat(heartbeat.RECONCILER)
        except Error as error:
            raise CommandError(in_words(error)) from error
        self.stdout.write(
            f"{done.started} started, {done.dispatched} dispatched, {done.lost} messages lost, {done.crashed} crashed"
        )


def run_until(stopped: threading.Event) -> None:
    """Pass after pass; whatever ails the database is waited out."""
    away_since: float | None = None  # on the monotonic clock
    is_start = True
    while not stopped.is_set():
        began = time.monotonic()
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        try:
            is_well = _pass(away_since=away_since)
            if is_well and _ring(is_start=is_start):
                is_start = False
        finally:
            faulthandler.cancel_dump_traceback_later()
        away_since = None if is_well else away_since or began
        stopped.wait(settings.RECONCILE_INTERVAL_S)


def _pass(*, away_since: float | None = None) -> bool:
    """Look once; whether the database took it.

    Args:
        away_since: since when it did not, on the monotonic clock.
    """
    try:
        if away_since is not None:
            connection.ensure_connection()  # which takes its time after an outage, and the database's own clock goes on
            forgive(ago_s=time.monotonic() - away_since)
        _reconcile()
        heartbeat.beat(heartbeat.RECONCILER)
    except Error as error:
        # The next pass opens a new connection; whoever supervises sees the log.
        logger.log(logging.WARNING if is_outage(error) else logging.ERROR, "reconciler: %s", in_words(error))
        connection.close()
        return not is_outage(error)
    return True


def _ring(*, is_start: bool) -> bool:
    """Ring for the duties that are due; whether that could be done."""
    try:
        return duties.ring(is_start=is_start)
    except Error as error:
        logger.warning("reconciler: what is due every so often waits. %s", in_words(error))
        connection.close()
        return False


def _reconcile() -> None:
    try:
        with patient():
            done = reconcile()
    except Error as error:
        if not is_conflict(error):
            raise
        logger.warning("reconciler: %s", in_words(error))
    else:
        if done:
            logger.info("reconciler: %s", done)
