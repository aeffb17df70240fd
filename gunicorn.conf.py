"""How the console is served. The address is given on the command line."""

import faulthandler
import os
import sys
import threading
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.http import transfers
from core.ops import logs
from core.settings import environment

_production = os.environ.get("DJANGO_SETTINGS_MODULE", "core.settings.production").endswith(".production")
try:
    workers = environment.whole_number("WEB_CONCURRENCY", 2, minimum=1, maximum=64)
    _level = environment.choice("LOG_LEVEL", "INFO", among=logs.LEVELS)
    _form = environment.choice("LOG_FORMAT", "json" if _production else "console", among=logs.FORMS)
    _access_log = environment.choice("ACCESS_LOG", "no", among=("yes", "no"))
except ImproperlyConfigured as error:
    sys.exit(str(error))
worker_class = "gthread"
threads = 4
timeout = 30
limit_request_line = 8190  # the longest that gunicorn takes, for lists with many filters
graceful_timeout = 8  # less than the supervisor waits before it kills
# Gunicorn would keep a control socket in the user's home folder; nothing here uses it.
control_socket_disable = True
accesslog = "-"

# The master's lines look like those of its workers, which get theirs from Django's settings.
logconfig_dict = logs.configuration(level=_level, form=_form)
# With a configuration of its own gunicorn logs every request, whatever accesslog says.
if _access_log == "no":
    logconfig_dict["loggers"]["gunicorn.access"]["level"] = "CRITICAL"

# A request takes a second or two. One that takes so long hangs, as on a database that accepts and never answers, and
# with each of them a thread is lost for ever; so the process shows where, ends, and the master starts another. A body that
# comes or goes may take longer: who waits for a client does not hang, and has a time of their own.
HANGS_S = 120
WATCH_EVERY_S = 5
_began_at: dict[int, float] = {}


def pre_request(worker: Any, request: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """A thread begins with a request."""
    _began_at[threading.get_ident()] = time.monotonic()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """It has done with it."""
    _began_at.pop(threading.get_ident(), None)


def post_worker_init(worker: Any) -> None:
    """Watch the process from a thread of its own."""
    threading.Thread(target=_watch, args=(worker.log,), daemon=True).start()


def _watch(log: Any) -> None:
    while True:
        time.sleep(WATCH_EVERY_S)
        if ended := transfers.end_stalled():
            log.warning("%s connections were closed whose clients had stopped sending or reading.", ended)
        if time.monotonic() - transfers.hanging_since(_began_at) > HANGS_S:
            log.error("A request hangs for more than %s s; this process ends.", HANGS_S)
            faulthandler.dump_traceback()
            os._exit(1)
