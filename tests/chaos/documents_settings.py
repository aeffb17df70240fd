"""The short run's settings, for the pool of storage; a program may ask as often as it likes."""

from tests.chaos.settings import *  # noqa: F403 - settings modules build on one another by Django's convention
