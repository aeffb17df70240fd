"""Kettles, and people who may or may not boil water."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission, User
from redis import Redis

from statemachine.doorbell import Message
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome
from tests.toy import reactions
from tests.toy.models import Kettle


@pytest.fixture(autouse=True)
def work(redis: Redis) -> Iterator[dict[str, Callable]]:
    """What the kettles' reactions do in this test."""
    reactions.work["heat"] = lambda _run: Outcome(transition="boiled")
    reactions.work["steep"] = lambda _run: Outcome(transition="poured")
    yield reactions.work
    reactions.work.clear()


@pytest.fixture
def cook(db: None) -> User:
    user = User.objects.create_user("cook")
    user.user_permissions.add(Permission.objects.get(codename="boil"))
    return user


@pytest.fixture
def guest(db: None) -> User:
    return User.objects.create_user("guest")


def owed(**values: object) -> Kettle:
    """A kettle that is owed heat now, as if it had just been switched on."""
    return Kettle.objects.create(**{"state": "heating", "generation": 1, **values})


def message(kettle: Kettle) -> Message:
    """What would be rung for the kettle as it is in the database."""
    fresh = Kettle.objects.get(pk=kettle.pk)
    return Message(label="toy.kettle", pk=fresh.pk, state=fresh.state, generation=fresh.generation)


def history(kettle: Kettle) -> list[str]:
    return list(TransitionLog.objects.of(kettle).values_list("transition", flat=True))
