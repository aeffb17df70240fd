"""The short run's settings, with the toy machine and its queue."""

from tests.chaos.settings import *  # noqa: F403 - settings modules build on one another by Django's convention
from tests.chaos.settings import INSTALLED_APPS, REDIS_URL, RQ_QUEUES

INSTALLED_APPS = [*INSTALLED_APPS, "tests.toy"]
RQ_QUEUES = {**RQ_QUEUES, "toy": {"URL": REDIS_URL, "SERIALIZER": "json"}}
