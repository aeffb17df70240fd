"""The short run's settings, with one queue for everything: a pool that works on leases reads the archives, too."""

from tests.chaos.settings import *  # noqa: F403 - settings modules build on one another by Django's convention
from tests.chaos.settings import DISCOVERY_QUEUE

STORAGE_QUEUE = DISCOVERY_QUEUE
ARCHIVE_WATCH_EVERY_S = 5
