"""The short run's settings, and the app that takes the fence away from every process that uses them."""

from tests.chaos.settings import *  # noqa: F403 - settings modules build on one another by Django's convention
from tests.chaos.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.unfenced.apps.UnfencedConfig"]
