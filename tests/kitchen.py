"""The tests' own machine in the console, as if its app were installed there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.urls import clear_url_caches
from pytest_django.fixtures import Settings

from console.machine import badges
from console.shell import counters, navigation
from tests.toy import admin as toy
from tests.toy.models import Batch, Kettle


@contextmanager
def in_the_console(settings: Settings) -> Iterator[None]:
    """Kettles have their list, their page and their place while the body runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(navigation, "_FRAMES", dict(navigation._FRAMES))
        patch.setattr(counters, "_COUNTERS", {})
        patch.setattr(badges, "_APPEARANCES", dict(badges._APPEARANCES))
        toy.declare()
        settings.ROOT_URLCONF = "tests.toy.urls"
        clear_url_caches()
        yield
    admin.site.unregister([Kettle, Batch])
    sys.modules.pop("tests.toy.urls", None)
    clear_url_caches()
