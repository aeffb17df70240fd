"""Kettles, and people who may or may not boil water."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from redis import Redis

from statemachine import jobs
from statemachine.claims import message_of
from statemachine.dispatch import dispatch
from statemachine.doorbell import Message
from statemachine.models import StateMachine, TransitionLog
from statemachine.reactions import Outcome, Run, _registry, reaction_for
from tests.statemachine.sets import BOILED, Sets, all_of
from tests.toy import reactions
from tests.toy.models import Kettle
from tests.toy.reactions import Work


@pytest.fixture(autouse=True)
def work(redis: Redis) -> Iterator[Work]:
    """What the kettles' reactions do in this test."""
    reactions.work["heat"] = lambda _run: Outcome(transition="boiled")
    reactions.work["steep"] = lambda _run: Outcome(transition="poured")
    yield reactions.work
    reactions.work.clear()


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a kettle's reaction say something else of itself: `declared(State.HEATING, queue="other")`."""

    def declare(state: str, **said: Any) -> None:
        key: tuple[type[StateMachine], str] = (Kettle, str(state))
        monkeypatch.setitem(_registry, key, replace(reaction_for(Kettle, state), **said))

    return declare


@pytest.fixture
def sets(declared: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Sets:
    """All that heat are worked on together, if they hold as many litres."""
    monkeypatch.setattr(jobs, "top_up", lambda _queue: None)
    made = Sets(declared)
    made.work_as(all_of(BOILED))
    return made


@pytest.fixture
def cook(db: None) -> User:
    user = User.objects.create_user("cook")
    user.user_permissions.add(Permission.objects.get(codename="boil"))
    return user


@pytest.fixture
def guest(db: None) -> User:
    return User.objects.create_user("guest")


def in_s(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def due_at(kettle: Kettle) -> datetime:
    assert kettle.due_at is not None
    return kettle.due_at


def noting[T](notes: list[T], look: Callable[[Run[Kettle]], T], outcome: Outcome) -> Callable[[Run[Kettle]], Outcome]:
    """A reaction that comes to the outcome and notes what it saw of its run."""

    def react(run: Run[Kettle]) -> Outcome:
        notes.append(look(run))
        return outcome

    return react


def owed(**values: Any) -> Kettle:
    """A kettle that is owed heat now, as if it had just been switched on."""
    return Kettle.objects.create(**{"state": "heating", "generation": 1, "background": False, **values})


def message(kettle: Kettle) -> Message:
    """What would be rung for the kettle as it is in the database."""
    fresh = Kettle.objects.get(pk=kettle.pk)
    return message_of(fresh)


def history(kettle: Kettle) -> list[str]:
    return list(TransitionLog.objects.of(kettle).values_list("transition", flat=True))


def dispatch_all() -> int:
    """Ring for every kettle that is owed work."""
    return dispatch(Kettle, pks=list(Kettle.objects.values_list("pk", flat=True)))
