"""Production, and the app that lets leases whose number begins with HANG do so."""

from core.settings.production import *  # noqa: F403 - settings modules build on one another by Django's convention
from core.settings.production import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.hanging.apps.HangingConfig"]
