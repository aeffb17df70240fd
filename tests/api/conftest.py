"""People with tokens, and programs that have one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from api.models import ApiToken
from api.scopes import Scope
from api.services import tokens
from api.services.tokens import NewToken
from core.base.clock import now
from tests.inside import inside  # noqa: F401 - a fixture

FILES = "/api/v1/files/"
REBUILD = "/api/v1/index/rebuild/"


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


def code_of(answer: Any) -> tuple[int, str]:
    """What was answered; a failure is always a problem that nobody keeps."""
    if answer.status_code < 400:
        return answer.status_code, ""
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["code"]


def ended(token: ApiToken, how: str) -> None:
    """Let it open nothing any more."""
    match how:
        case "token_expired":
            ApiToken.objects.update(created_at=now() - timedelta(days=9), expires_at=now() - timedelta(seconds=1))
        case "token_revoked":
            ApiToken.objects.update(revoked_at=now())
        case "token_owner_inactive":
            User.objects.update(is_active=False)
        case "token_refused":
            token.delete()
