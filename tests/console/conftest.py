"""A console that has kettles, too, and people who may do this or that with them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from redis import Redis

from statemachine.reactions import Outcome
from tests.kitchen import in_the_console
from tests.toy import reactions
from tests.toy.models import Kettle
from tests.toy.reactions import Work


@pytest.fixture
def kettles(settings: Settings, redis: Redis) -> Iterator[Work]:
    """The tests' app in the console; what its reactions do in this test."""
    with in_the_console(settings):
        reactions.work["heat"] = lambda _run: Outcome(transition="boiled")
        yield reactions.work
        reactions.work.clear()


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
