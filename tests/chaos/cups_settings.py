"""The short run's settings, with the machine of cups and its queue."""

from tests.chaos.settings import *  # noqa: F403 - settings modules build on one another by Django's convention
from tests.chaos.settings import INSTALLED_APPS, REDIS_URL, RQ_QUEUES

INSTALLED_APPS = [*INSTALLED_APPS, "tests.cups"]
RQ_QUEUES = {**RQ_QUEUES, "cups": {"URL": REDIS_URL, "SERIALIZER": "json"}}
