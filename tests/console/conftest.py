"""A console that has kettles, too, and people who may do this or that with them."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import clear_url_caches, reverse
from pytest_django.fixtures import Settings
from redis import Redis

from console.machine import badges
from console.shell import counters, navigation
from statemachine.reactions import Outcome
from tests.toy import admin as toy
from tests.toy import reactions
from tests.toy.models import Batch, Kettle
from tests.toy.reactions import Work


@pytest.fixture
def kettles(settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """As if the tests' app were installed in the console; what its reactions do in this test."""
    monkeypatch.setattr(navigation, "_FRAMES", dict(navigation._FRAMES))
    monkeypatch.setattr(counters, "_COUNTERS", {})
    monkeypatch.setattr(badges, "_APPEARANCES", dict(badges._APPEARANCES))
    toy.declare()
    settings.ROOT_URLCONF = "tests.toy.urls"
    clear_url_caches()
    reactions.work["heat"] = lambda _run: Outcome(transition="boiled")
    yield reactions.work
    reactions.work.clear()
    admin.site.unregister([Kettle, Batch])
    sys.modules.pop("tests.toy.urls", None)
    clear_url_caches()


@pytest.fixture
def cook(db: None) -> User:
    """May see, change and boil."""
    user = User.objects.create_user("cook", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="toy"))
    return user


@pytest.fixture
def guest(db: None) -> User:
    """May look."""
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_kettle"))
    return user


@pytest.fixture
def kitchen(kettles: Work, client: Client, cook: User) -> Client:
    """The browser of the cook."""
    client.force_login(cook)
    return client


def page_of(client: Client, kettle: Kettle) -> Any:
    return client.get(reverse("admin:toy_kettle_change", args=[kettle.pk]))


def press(client: Client, kettle: Kettle, name: str, **changed: Any) -> Any:
    """Press a button that was drawn for the kettle as it is now."""
    generation = Kettle.objects.get(pk=kettle.pk).generation
    url = reverse("admin:toy_kettle_action", args=[kettle.pk, name])
    return client.post(url, {"generation": generation, **changed}, follow=True)
