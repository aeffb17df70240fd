"""How the console is served. The address is given on the command line."""

import os

from core import logs

workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 8  # less than the supervisor waits before it kills
# Gunicorn would keep a control socket in the user's home folder; nothing here uses it.
control_socket_disable = True
accesslog = "-"

# The master's lines look like those of its workers, which get theirs from Django's settings.
_production = os.environ.get("DJANGO_SETTINGS_MODULE", "core.settings.production").endswith(".production")
logconfig_dict = logs.configuration(
    level=(os.environ.get("LOG_LEVEL") or "INFO").upper(),
    form=(os.environ.get("LOG_FORMAT") or ("json" if _production else "console")).lower(),
)
# With a configuration of its own gunicorn logs every request, whatever accesslog says.
if os.environ.get("ACCESS_LOG") != "yes":
    logconfig_dict["loggers"]["gunicorn.access"]["level"] = "CRITICAL"
