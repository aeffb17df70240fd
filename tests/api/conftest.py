"""People with tokens, and programs that have one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from api.scopes import Scope
from api.services import tokens
from api.services.tokens import NewToken
from core.base.clock import now

type Making = Callable[..., NewToken]


def made(user: User, *scopes: str, name: str = "nightly", lasts: timedelta = timedelta(days=90)) -> NewToken:
    """A token as the console makes it; without scopes, for everything."""
    return tokens.make(by=user, name=name, scopes=scopes or Scope.values, lasts=lasts, at=now())


def program(secret: str, client: Client | None = None) -> Client:
    """Whoever sends that as a token."""
    sending = client or Client()
    sending.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return sending


@pytest.fixture
def token(olivia: User) -> NewToken:
    return made(olivia)
